"""The commands that a user types."""

from syncer.cli.main import main

__all__ = ["main"]
