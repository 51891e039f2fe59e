"""Serve the whole emulated AWS until SIGTERM or SIGINT: Cloud Map, ECS, Route 53, target groups, moto, and DNS."""

import argparse
import json
import signal
import sys
import threading
from dataclasses import fields, replace
from pathlib import Path

from .settings import DEFAULT_REGION, REALISTIC, Settings
from .whole import WholeAws


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="HTTP port; 0 takes a free one")
    parser.add_argument("--dns-port", type=int, default=0, help="DNS port, UDP and TCP; 0 takes a free one")
    parser.add_argument("--region", default=DEFAULT_REGION, help="Region of the seed (%(default)s)")
    parser.add_argument("--ready-file", type=Path, help="write the JSON line there, too, once it serves")
    parser.add_argument("--seed", type=Path, help="a JSON document as for POST /_emulator/seed")
    parser.add_argument("--realistic", action="store_true", help="delays as on the real service")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting: " + _names()
    )
    return parser.parse_args()


def _names() -> str:
    return ", ".join(field.name for field in fields(Settings))


def _settings(realistic: bool, changes: list[str]) -> Settings:
    values = {}
    for change in changes:
        name, _, text = change.partition("=")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return replace(REALISTIC if realistic else Settings(), **values)


def main() -> None:
    """Serve until told to stop."""
    arguments = _arguments()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    emulator = WholeAws(
        _settings(arguments.realistic, arguments.set),
        host=arguments.host,
        port=arguments.port,
        dns_port=arguments.dns_port,
        region=arguments.region,
    )
    with emulator:
        if arguments.seed:
            emulator.seed.load(json.loads(arguments.seed.read_text()))
        host, port = emulator.dns_address
        line = json.dumps({"endpoint_url": emulator.endpoint_url, "dns_host": host, "dns_port": port})
        if arguments.ready_file:
            partial = arguments.ready_file.with_suffix(".partial")
            partial.write_text(line + "\n")
            partial.rename(arguments.ready_file)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        done.wait()


if __name__ == "__main__":
    main()
