"""Sites to look at, and logging as it was before."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.observe.busy import Site


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """A place for log lines; after the test, logging is as it was."""
    loggers = [
        logging.getLogger(name) for name in (None, "syncer", "botocore", "urllib3", "waitress", "boto3")
    ]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    was = structlog.get_config()
    yield io.StringIO()
    structlog.configure(**was)
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.fixture
def serve() -> Iterator[Callable[[Site], Site]]:
    """Start sites; they are stopped after the test."""
    started: list[Site] = []

    def start(site: Site) -> Site:
        site.server.start()
        started.append(site)
        return site

    yield start
    for site in started:
        site.server.stop()
