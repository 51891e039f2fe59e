"""One folder for each system; they do not know each other."""
