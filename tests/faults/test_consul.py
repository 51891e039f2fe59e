"""Consul fails in every way, seen through a proxy: nothing alive leaves Cloud Map, nor Consul."""

import pytest

from tests.e2e.mishaps import Kind
from tests.faults.stage import Stage

READS = ("*", "catalog/services", "health/service/*", "health/service/web", "health/state/any", "internal/*")
WRITES = ("catalog/register", "catalog/deregister")


@pytest.mark.parametrize("path", READS)
def test_an_error_withdraws_nothing(shared: Stage, path: str) -> None:
    proxy = shared.world.proxy
    shared.ordeal(*(proxy.failing("status", path, status=status) for status in (500, 403)))


@pytest.mark.parametrize("path", ["*", "health/service/*"])
def test_any_status_withdraws_nothing(shared: Stage, path: str) -> None:
    proxy = shared.world.proxy
    shared.ordeal(*(proxy.failing("status", path, status=status) for status in (200, 301, 404)))


@pytest.mark.parametrize("path", ["*", "catalog/services", "health/service/*"])
@pytest.mark.parametrize("kind", ["garbage", "cut", "hang", "reset"])
def test_no_proper_answer_withdraws_nothing(shared: Stage, kind: Kind, path: str) -> None:
    shared.ordeal(shared.world.proxy.failing(kind, path))


@pytest.mark.parametrize("path", [*READS, "catalog/*", "health/*"])
def test_an_empty_answer_withdraws_nothing(shared: Stage, path: str) -> None:
    shared.ordeal(shared.world.proxy.failing("empty", path))


@pytest.mark.parametrize(
    "header",
    ["X-Consul-KnownLeader: false", "X-Consul-Results-Filtered-By-ACLs: true", "X-Consul-LastContact: 90000"],
)
def test_an_answer_that_is_not_to_be_trusted_withdraws_nothing(shared: Stage, header: str) -> None:
    shared.ordeal(shared.world.proxy.failing("header", body=header))


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("kind", ["hang", "reset", "lost_answer", "garbage"])
def test_a_write_without_a_proper_answer_withdraws_nothing(shared: Stage, kind: Kind, path: str) -> None:
    shared.ordeal(shared.world.proxy.failing(kind, path))


@pytest.mark.parametrize("path", WRITES)
def test_a_refused_write_withdraws_nothing(shared: Stage, path: str) -> None:
    proxy = shared.world.proxy
    shared.ordeal(*(proxy.failing("status", path, status=status) for status in (500, 403, 429)))


def test_too_few_connections_withdraw_nothing(shared: Stage) -> None:
    shared.calm()
    shared.world.proxy.limit(4)
    shared.world.proxy.break_connections()
    shared.change()
    for _ in range(4):
        shared.running.reread()
        shared.watch(0.2)
    shared.world.proxy.limit(1000)
    shared.converge()
