"""``syncer validate``: is the settings file in order?"""

from pathlib import Path

import click

from syncer.cli.options import settings_or_exit


@click.command(epilog="\b\nExample:\n  syncer validate syncer.yaml")
@click.argument(
    "path", metavar="FILE", type=click.Path(path_type=Path), default="syncer.yaml", envvar="SYNCER_CONFIG"
)
def validate(path: Path) -> None:
    """Check the settings in FILE, without asking Consul or AWS anything.

    Every fault is shown, with its file, line and key, and with what to write instead.
    """
    settings = settings_or_exit(path)
    consul = [f"Consul at {settings.consul.address}"] if settings.uses_consul else []
    routes = [f"{item.id}{'' if item.route.enabled else ' (off)'}" for item in settings.resolved_routes()]
    parts = (f"owner {settings.owner}", *consul, *settings.labels(), *routes)
    click.echo(f"{path}: in order; {', '.join(parts)}")
