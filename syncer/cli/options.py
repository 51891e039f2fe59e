"""What several commands share: the settings file, and how its faults are shown."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from syncer.app.running import address_of
from syncer.observe.log import Form, configure_logging
from syncer.settings import Settings, SettingsError, load

BAD_SETTINGS = 2
"""The exit code for settings and command lines that cannot be used."""

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "-c",
    "--config",
    "path",
    envvar="SYNCER_CONFIG",
    default="syncer.yaml",
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The settings, a YAML file.",
)

url_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--url",
    metavar="URL",
    help="Where the running process answers, such as http://10.0.0.5:9110. Default: as the settings say.",
)


def where_to_ask(path: Path, url: str | None) -> str:
    """Return *url*, or where the process of the settings in *path* answers; without either exit with 2."""
    where = url or address_of(settings_or_exit(path))
    if where is None:
        fail("the settings turn the web server off, or leave its port open (http): write --url", BAD_SETTINGS)
    return where


def settings_or_exit(path: Path) -> Settings:
    """Return the settings in *path*; on faults print each on a line of its own and exit with 2."""
    try:
        return load(path, os.environ)
    except SettingsError as e:
        for fault in e.faults:
            click.echo(str(fault), err=True)
        count = len(e.faults)
        fail(f"{count} {'fault' if count == 1 else 'faults'} in the settings", BAD_SETTINGS)


def fail(message: str, code: int = 1) -> NoReturn:
    """Print *message* and end the process with *code*."""
    click.echo(f"syncer: {message}", err=True)
    sys.exit(code)


def start_logging(settings: Settings, *, level: str | None = None) -> None:
    """Begin to log as *settings* say, or at *level*, to standard error."""
    token = settings.consul.token
    secrets = (token.get_secret_value(),) if token else ()
    form: Form = "human" if settings.log.format == "text" else settings.log.format
    configure_logging(level=level or settings.log.level, form=form, stream=sys.stderr, secrets=secrets)
