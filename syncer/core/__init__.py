"""What the project does, as values and functions of values: no SDK, no clock, no log, no thread."""
