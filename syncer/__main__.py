"""``python -m syncer``, for where the command itself is not on PATH."""

from syncer.cli import main

if __name__ == "__main__":
    main(prog_name="syncer")
