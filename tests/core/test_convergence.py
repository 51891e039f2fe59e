"""Whatever the snapshots: a plan ends where it should, wherever it is interrupted, and hurts nobody on its way."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.core.model import Complete, Instance
from syncer.core.plan import Change, CreateService, Deregister, Register, Update, instance_id
from syncer.core.reconcile import Pair, reconcile
from syncer.core.rules import RouteRules, SameName
from syncer.core.wanted import is_ours, wanted
from tests.core.snapshots import routes, sources, targets
from tests.core.values import BARE, RECORDS, info, rules
from tests.core.world import carry_out

_MANY = settings(max_examples=80)


def _plan(route: RouteRules, source: Complete, target: Complete) -> tuple[Change, ...]:
    return reconcile(route, Pair("web", target, "web", source)).changes


def _finish(route: RouteRules, source: Complete, target: Complete, passes: int = 1) -> Complete:
    for _ in range(passes):
        target, _ = carry_out(route, target, _plan(route, source, target))
    return target


def _by_id(instances: Iterable[Instance]) -> dict[str, Instance]:
    return {item.id: item for item in instances}


def _without_ids(route: RouteRules, target: Complete) -> list[str]:
    """Return what is ours, whatever its id."""
    return sorted(repr(replace(item, id="")) for item in target.instances if is_ours(item, route))


@_MANY
@given(st.data())
def test_carried_out_then_planned_again_leaves_nothing(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    end, refused = carry_out(route, target, _plan(route, source, target))
    assert refused == []
    assert _plan(route, source, end) == ()


@_MANY
@given(st.data())
def test_the_end_holds_what_is_wanted_and_nothing_else_of_ours(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    plan = reconcile(route, Pair("web", target, "web", source))
    end, _ = carry_out(route, target, plan.changes)
    want = wanted(route, "web", source, target).instances
    in_conflict = {(conflict.service, conflict.instance) for conflict in plan.conflicts}
    expected = {item.id: item.addresses for item in want if (item.service, item.id) not in in_conflict}
    assert {item.origin_id: item.addresses for item in end.instances if is_ours(item, route)} == expected


@_MANY
@given(st.data())
def test_what_is_not_ours_is_never_changed(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    foreign = {item.id for item in target.instances if not is_ours(item, route)}
    changes = _plan(route, source, target)
    assert not foreign & {instance_id(change) for change in changes}


@_MANY
@given(st.data())
def test_an_instance_has_one_change_at_most(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    ids = [instance_id(change) for change in _plan(route, source, data.draw(targets(route)))]
    named = [name for name in ids if name]
    assert len(named) == len(set(named))


@_MANY
@given(st.data())
def test_the_order_in_which_instances_are_read_plays_no_part(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    plan = reconcile(route, Pair("web", target, "web", source))
    for side in (source, target):
        shuffled = replace(side, instances=tuple(data.draw(st.permutations(side.instances))))
        swapped = (shuffled, target) if side is source else (source, shuffled)
        assert reconcile(route, Pair("web", swapped[1], "web", swapped[0])) == plan


@_MANY
@given(st.data())
def test_every_interrupted_prefix_ends_in_the_same_state(data: st.DataObject) -> None:
    """But for ids: an entry that was about to be taken over may have lost the trace of who it was meant for."""
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    changes = _plan(route, source, target)
    end, _ = carry_out(route, target, changes)
    for length in range(len(changes)):
        interrupted, _ = carry_out(route, target, changes[:length])
        resumed = _finish(route, source, interrupted)
        assert _without_ids(route, resumed) == _without_ids(route, end), changes[length:]
        assert resumed.info == end.info


@_MANY
@given(st.data())
def test_whatever_fails_and_in_whatever_order_the_end_is_the_same_but_for_ids(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    changes = _plan(route, source, target)
    end, _ = carry_out(route, target, changes)
    first: list[Change] = [change for change in changes if isinstance(change, CreateService)]
    rest: list[Change] = [change for change in changes if not isinstance(change, CreateService)]
    some = data.draw(st.lists(st.sampled_from(rest), unique_by=id)) if rest else []
    broken, _ = carry_out(route, target, first + some)
    assert _without_ids(route, _finish(route, source, broken, passes=2)) == _without_ids(route, end)


@_MANY
@given(st.data())
def test_an_address_that_is_wanted_and_there_stays_all_along(data: st.DataObject) -> None:
    """Where an address may be there once, it is handed over in place: swaps and chains of moves included."""
    records = frozenset(data.draw(st.sampled_from((("A",), ("A", "SRV")))))
    route = rules(RECORDS, records=records)
    source, target = data.draw(sources()), data.draw(targets(route))
    want = wanted(route, "web", source, target).instances
    alive = {address for item in want for address in route.exclusive(item, target.info)}
    alive &= {address for item in target.instances for address in item.addresses}
    changes = _plan(route, source, target)
    for length in range(len(changes) + 1):
        now, refused = carry_out(route, target, changes[:length])
        assert refused == []
        assert alive <= {address for item in now.instances for address in item.addresses}


@_MANY
@given(st.data())
def test_what_the_source_still_offers_is_not_removed_under_its_address(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    want = wanted(route, "web", source, target).instances
    gone = {(item.id, item.addresses) for item in want}
    changes = _plan(route, source, target)
    written = {change.instance.origin_id for change in changes if isinstance(change, Register | Update)}
    kept = {item.origin_id for item in target.instances if is_ours(item, route)} | written
    for change in changes:
        if isinstance(change, Deregister) and (change.instance.origin_id, change.instance.addresses) in gone:
            assert change.instance.origin_id in kept


@_MANY
@given(st.data())
def test_a_service_that_serves_and_should_serve_does_so_all_along(data: st.DataObject) -> None:
    route, source = data.draw(routes()), data.draw(sources())
    target = data.draw(targets(route))
    changes = _plan(route, source, target)
    end, _ = carry_out(route, target, changes)
    if _serves(target) and _serves(end):
        for length in range(len(changes)):
            now, _ = carry_out(route, target, changes[:length])
            assert _serves(now), changes[:length]


def _serves(snapshot: Complete) -> bool:
    return any(item.health.serves for item in snapshot.instances)


@_MANY
@given(st.data())
def test_only_families_that_have_records_stand_in_each_others_way(data: st.DataObject) -> None:
    route = rules(RECORDS, records=frozenset({"A"}))
    source = data.draw(sources(both_families=True))
    drawn = data.draw(targets(route, both_families=True))
    target = drawn if drawn.info is None else replace(drawn, info=info(("A",)), instances=drawn.instances[:1])
    end, refused = carry_out(route, target, _plan(route, source, target))
    assert refused == []
    assert _plan(route, source, end) == ()


@_MANY
@given(st.data())
def test_a_source_name_that_leads_here_no_more_takes_only_ours_along(data: st.DataObject) -> None:
    """After a rename or another prefix, the old name's entries are stale: removed, the guard permitting."""
    route = replace(data.draw(routes()), same_name=SameName.MERGE)
    target = data.draw(targets(route))
    plan = reconcile(route, Pair("web", target))
    end, refused = carry_out(route, target, plan.changes)
    assert refused == []
    assert list(end.instances) == [item for item in target.instances if not is_ours(item, route)]
    assert all(isinstance(change, Deregister) for change in plan.changes)


@_MANY
@given(st.data())
def test_a_target_that_holds_less_than_it_is_given_comes_to_rest_from_every_prefix(
    data: st.DataObject,
) -> None:
    route = rules(BARE, keep_last=data.draw(st.booleans()))
    target, refused = carry_out(
        route, Complete("web", ()), _plan(route, data.draw(sources()), Complete("web", ()))
    )
    source = data.draw(sources())
    changes = _plan(route, source, target)
    end, also = carry_out(route, target, changes)
    assert refused == also == []
    assert _plan(route, source, end) == ()
    for length in range(len(changes)):
        interrupted, _ = carry_out(route, target, changes[:length])
        assert _by_id(_finish(route, source, interrupted).instances) == _by_id(end.instances)
    places = [(item.addresses, item.port) for item in end.instances]
    assert len(places) == len(set(places))


@_MANY
@given(st.data())
def test_two_routes_of_one_owner_end_with_one_entry_for_each_address_and_port(data: st.DataObject) -> None:
    """Both may have registered at the same time; whichever plans first, one of the two is left, and stays."""
    one, two = rules(), replace(rules(), source="source/two")
    first, second = data.draw(sources()), data.draw(sources())
    target, _ = carry_out(two, Complete("web", ()), _plan(two, second, Complete("web", ())))
    if data.draw(st.booleans()):  # at the same time: neither saw the other's
        target, _ = carry_out(one, target, _plan(one, first, Complete("web", ())))
    for route, source in ((one, first), (two, second)) * 3:
        target = _finish(route, source, target)
    assert _plan(one, first, target) == _plan(two, second, target) == ()
    ones = [item for item in target.instances if is_ours(item, one)]
    twos = [item for item in target.instances if is_ours(item, two)]
    for item, other in itertools.product(ones, twos):
        same = set(item.addresses) <= set(other.addresses)  # those of "two" come before
        assert not same or (None not in {item.port, other.port} and item.port != other.port)
