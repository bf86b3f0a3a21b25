"""How the reader's models are trained, from openly licensed rows and from questions written for this project."""
