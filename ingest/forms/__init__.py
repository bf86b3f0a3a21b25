"""Forms: what a file is written in, and how its text is read: markup, notebooks, office files, books, subtitles."""
