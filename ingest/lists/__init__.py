"""Lists: whatever form people keep their links in, each link with its title, its topics and what is said of it."""
