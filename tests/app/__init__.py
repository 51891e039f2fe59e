"""Tests of the wiring and of what the commands know."""
