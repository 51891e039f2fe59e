from collections.abc import Iterator

import pytest

from syncer.core.plan import Register
from syncer.systems.desk import Job
from syncer.systems.route53.batches import MOST_RECORDS, Unit, batches, merged, parted
from syncer.systems.route53.records import MULTIVALUE, RecordChange, RecordSet
from tests.systems.route53.steps import wanted


def record(name: str, value: str = "192.0.2.1", identifier: str = "") -> RecordSet:
    return RecordSet(name, "A", 60, (value,), identifier, MULTIVALUE if identifier else "")


def unit(*changes: tuple[str, RecordSet]) -> Unit:
    job = Job(Register(wanted()), lambda _outcome: None)
    return Unit(job, tuple(RecordChange(action, one) for action, one in changes))


@pytest.mark.parametrize(
    ("action", "value", "expected"),
    [
        ("DELETE", "192.0.2.1", [1000, 201]),
        ("UPSERT", "192.0.2.1", [500, 500, 201]),
        ("UPSERT", "x" * 100, [160] * 7 + [81]),
    ],
)
def test_a_batch_holds_what_a_request_can(action: str, value: str, expected: list[int]) -> None:
    units = [unit((action, record(f"n{number}.example.com", value))) for number in range(1201)]
    found = list(batches(units))
    assert [len(batch) for batch in found] == expected
    assert [one for batch in found for one in batch] == units


def test_what_belongs_together_is_in_one_batch_even_if_it_is_too_much() -> None:
    great = unit(*(("UPSERT", record(f"n{number}.example.com")) for number in range(MOST_RECORDS)))
    small = unit(("UPSERT", record("a.example.com")))
    assert list(batches([small, great, small])) == [[small], [great], [small]]


def test_the_next_unit_is_asked_for_when_the_batch_before_is_on_its_way() -> None:
    asked: list[int] = []

    def units() -> Iterator[Unit]:
        for number in range(1200):
            asked.append(number)
            yield unit(("UPSERT", record(f"n{number}.example.com")))

    assert len(next(batches(units()))) == 500
    assert len(asked) == 501


def test_each_record_is_in_a_request_once_and_what_is_removed_comes_first() -> None:
    simple = record("web.example.com")
    one, two = (record("web.example.com", f"192.0.2.{n}", str(n)) for n in (1, 2))
    found = merged([unit(("DELETE", simple), ("UPSERT", one)), unit(("DELETE", simple), ("UPSERT", two))])
    assert [(change.action, change.record) for change in found] == [
        ("DELETE", simple),
        ("UPSERT", one),
        ("UPSERT", two),
    ]


def test_what_one_removes_and_another_writes_is_written() -> None:
    item = record("web.example.com", identifier="1")
    for units in (
        [unit(("DELETE", item)), unit(("UPSERT", item))],
        [unit(("UPSERT", item)), unit(("DELETE", item))],
    ):
        assert [change.action for change in merged(units)] == ["UPSERT"]


@pytest.mark.parametrize(
    ("message", "blamed"),
    [
        ("Tried to delete [name='a.example.com.', type='A', set identifier='one'] but it was not found", [0]),
        ("RRSet with DNS name b.example.com. is not permitted", [2]),
        ("something is wrong", [2, 3]),
        ("[name='a.example.com.'] and [name='b.example.com.'] and [name='c.example.com.']", [0, 2, 3]),
    ],
)
def test_what_the_message_names_is_tried_apart_and_else_half_of_it(message: str, blamed: list[int]) -> None:
    units = [
        unit(("UPSERT", record("a.example.com", identifier="one"))),
        unit(("UPSERT", record("aa.example.com", identifier="two"))),
        unit(("UPSERT", record("b.example.com", identifier="three"))),
        unit(("UPSERT", record("c.example.com", identifier="four"))),
    ]
    rest, apart = parted(units, message)
    assert [units.index(one) for one in apart] == blamed
    assert sorted(map(units.index, (*rest, *apart))) == [0, 1, 2, 3]
