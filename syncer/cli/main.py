"""``syncer`` itself: what all commands share, and how a failure ends the process."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click
from typing_extensions import override

import syncer

_EPILOG = """\b
Examples:
  syncer validate syncer.yaml         is the file in order?
  syncer plan -c syncer.yaml          what would be done? changes nothing
  syncer run -c syncer.yaml           keep everything in step until told to stop
  syncer names web.service.consul     what is it called on the other side?

\b
Exit codes: 0 done, and in sync; 1 something is not as it should be; 2 the settings or the command line are wrong.
"""
_COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run": "run",
        "once": "passes",
        "plan": "passes",
        "names": "names",
        "validate": "validate",
        "doctor": "doctor",
        "explain": "explain",
        "status": "status",
        "health": "health",
        "approve": "approve",
        "withdraw": "withdraw",
    }
)
"""Each command's name, which is its function's, and the module of this package that has it."""


class _Commands(click.Group):
    """Imports a command's module when it is asked for: what one command needs is not in the memory of another."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"syncer.cli.{module}"), cmd_name)
        return command


@click.group(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(syncer.__version__, prog_name="syncer")
def main() -> None:
    """Keep HashiCorp Consul and AWS Cloud Map in step, both ways."""
