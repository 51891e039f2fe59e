"""Token buckets: bursts, rates, throttling, calm, interruption."""

import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.systems.cloudmap.quotas import RATES, Bucket, Quotas, Rate
from tests.emulator.throttle import RATES as SERVERS

MEASURED = (
    "ListNamespaces",
    "ListServices",
    "CreateService",
    "RegisterInstance",
    "DeregisterInstance",
    "GetOperation",
    "ListInstances",
    "DiscoverInstances",
    "DiscoverInstancesRevision",
)


def test_a_burst_waits_for_nothing_and_then_the_rate_holds() -> None:
    stop = threading.Event()
    began = time.monotonic()
    slow = Bucket(Rate(0.005, 10))
    for _ in range(10):
        assert slow.take(stop)
    assert time.monotonic() - began < 60, "a single wait would take 200 seconds"
    began = time.monotonic()
    bucket = Bucket(Rate(50, 10))
    for _ in range(25):
        assert bucket.take(stop)
    assert time.monotonic() - began >= 15 / 50 * 0.9


def test_many_threads_together_get_no_more_than_the_rate() -> None:
    bucket, stop = Bucket(Rate(100, 1)), threading.Event()
    began = time.monotonic()
    threads = [threading.Thread(target=bucket.take, args=(stop,), daemon=True) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert time.monotonic() - began >= 39 / 100 * 0.9


def test_a_wait_ends_when_we_stop_and_gives_its_token_back() -> None:
    bucket, stop = Bucket(Rate(0.1, 1)), threading.Event()
    assert bucket.take(stop)
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(bucket.take(stop)), daemon=True)
    thread.start()
    stop.set()
    thread.join(60)
    assert taken == [False]
    assert not bucket.take(stop)


def test_throttling_halves_the_rate_once_for_calls_that_were_under_way_together() -> None:
    bucket = Bucket(Rate(100, 100))
    for _ in range(8):
        bucket.throttled()
    assert bucket.share == 0.5


def test_throttling_takes_the_saved_tokens_too() -> None:
    bucket, stop = Bucket(Rate(20, 100)), threading.Event()
    bucket.throttled()
    began = time.monotonic()
    assert bucket.take(stop)
    assert time.monotonic() - began >= 1 / 20 * 0.9


@given(st.sampled_from(MEASURED), st.floats(0, 60))
@settings(max_examples=30)
def test_a_server_with_the_known_rates_has_no_reason_to_throttle(operation: str, seconds: float) -> None:
    rate, burst = SERVERS[operation]
    ours = RATES[operation]
    assert ours.burst + ours.rate * seconds <= burst + rate * seconds


def test_quotas_are_counted_by_operation_and_may_be_set() -> None:
    quotas = Quotas({"RegisterInstance": Rate(0.005, 1)})
    assert quotas.bucket("RegisterInstance") is quotas.bucket("RegisterInstance")
    stop = threading.Event()
    assert quotas.bucket("RegisterInstance").take(stop)
    began = time.monotonic()
    assert quotas.bucket("DeregisterInstance").take(stop)
    assert quotas.bucket("NeverHeardOf").take(stop)
    assert time.monotonic() - began < 60, "they do not wait for the first one's tokens"
