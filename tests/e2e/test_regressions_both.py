"""What consul-aws does wrong where both directions, several processes or odd inputs meet, and what happens here."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from syncer.core.model import Skip
from tests.e2e.cloud import Cloud
from tests.e2e.scenes import assert_all_there, assert_nothing_withdrawn, in_step, populate
from tests.e2e.world import World, never
from tests.support.wait import eventually

SRV = {"namespaces": [{"name": "corp.internal", "consul_to_cloudmap": {"records": ["SRV"]}}]}
PREFIXES = {"consul_to_cloudmap": {"prefix": "consul-"}, "cloudmap_to_consul": {"prefix": "aws-"}}


def test_a_prefix_is_written_once_and_stale_entries_leave(world: World) -> None:
    """C6: with a prefix, consul-aws registers everything again at every poll, and stale entries never leave."""
    populate(world)
    with world.syncing({"defaults": PREFIXES}, proxied=True) as running:
        running.settled()
        world.proxy.forget()
        world.aws.calls.reset()
        for _ in range(3):
            running.settled()
        assert world.proxy.calls("PUT") == []
        assert world.cloud.writes() == 0
        world.consul.deregister("web-1")
        world.cloud.deregister("orders", "orders-1")
        eventually(lambda: world.cloud.addresses("consul-web") == ["10.0.1.2", "10.0.1.3"])
        eventually(lambda: world.in_consul("aws-orders") == ["10.1.1.2", "10.1.1.3"])


def test_a_prefix_belongs_to_what_its_direction_writes(world: World) -> None:
    """C7: the help texts of consul-aws's two prefixes are swapped: here each stands below its own direction."""
    populate(world)
    with world.syncing({"defaults": PREFIXES}) as running:
        running.settled()
        assert world.cloud.state().keys() == {"consul-web", "consul-api", "orders", "users"}
        assert world.consul.services().keys() == {"consul", "web", "api", "aws-orders", "aws-users"}


def test_both_directions_bear_changes_from_many_hands_at_once(world: World) -> None:
    """C11: with both directions on, consul-aws has a data race that ends in a fatal map error."""
    services = [world.cloud.service(f"cloud-{number}") for number in range(4)]

    def churn(number: int) -> None:
        for turn in range(10):
            world.consul.register(f"consul-{number}", f"c-{number}", f"10.2.{number}.{turn + 1}", 80)
            attributes = {"AWS_INSTANCE_IPV4": f"10.3.{number}.{turn + 1}"}
            answer = world.cloud.client.register_instance(
                ServiceId=services[number], InstanceId=f"a-{number}", Attributes=attributes
            )
            world.cloud.done(answer)

    assert world.cloud.client
    with world.syncing() as running:
        hands = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(60)
        running.settled()
        for number in range(4):
            assert world.cloud.addresses(f"consul-{number}") == [f"10.2.{number}.10"]
            assert world.in_consul(f"cloud-{number}") == [f"10.3.{number}.10"]
        assert all(running.installation.engine.threads().values())


def test_sigterm_ends_the_process_in_order_and_the_records_stay(world: World) -> None:
    """C15: SIGTERM, which is what ECS sends, kills consul-aws without clean-up."""
    populate(world)
    command = [str(Path(sys.executable).with_name("syncer")), "run", "-c", str(world.file(world.tree()))]
    process = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: world.cloud.addresses("web") and world.in_consul("orders"))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "stopped" in log
    assert_all_there(world)


def test_two_installations_with_two_namespaces_leave_each_other_alone(world: World) -> None:
    """C17: two processes of consul-aws, or two namespaces, delete each other's entries."""
    world.aws.seed.namespace("other.internal")
    other = Cloud(world.aws, "other.internal")
    populate(world)
    other.put("mail", "mail-1", "10.4.0.1")
    second = {"owner": "second", "namespaces": [{"name": "other.internal"}]}
    with world.syncing(proxied=True) as one, world.syncing(second, proxied=True) as two:
        one.settled()
        two.settled()
        world.proxy.forget()
        world.aws.calls.reset()
        for running in (one, two, one, two):
            running.settled()
        assert_all_there(world)
        assert other.addresses("web") == world.cloud.addresses("web")
        assert world.in_consul("mail") == ["10.4.0.1"]
        assert_nothing_withdrawn(world)
        assert "mail" not in world.cloud.state()
        assert "orders" not in other.state()


def test_a_users_own_tag_aws_is_a_tag_like_any_other(world: World) -> None:
    """C17: a service whose user gave it the tag "aws" is never exported by consul-aws."""
    world.consul.register("web", "web-1", "10.0.1.1", 8080, tags=["aws"])
    with world.syncing():
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])


def test_tags_meta_and_attributes_travel_when_they_alone_change(world: World) -> None:
    """C18: a change of a tag, meta or attribute, with address and port the same, is never seen by consul-aws."""
    world.consul.register("web", "web-1", "10.0.1.1", 8080, tags=["v1"], meta={"team": "red"})
    world.cloud.put("orders", "orders-1", "10.1.1.1", stage="one")
    with world.syncing() as running:
        running.settled()
        before = world.cloud.only("web").attributes
        assert (before["sync-tags"], before["team"]) == ("v1", "red")
        world.consul.register("web", "web-1", "10.0.1.1", 8080, tags=["v2"], meta={"team": "blue"})
        eventually(lambda: world.cloud.only("web").attributes.get("team") == "blue")
        assert world.cloud.only("web").attributes["sync-tags"] == "v2"
        world.cloud.register("orders", "orders-1", "10.1.1.1", stage="two")
        eventually(lambda: world.consul.health("orders")[0]["Service"]["Meta"].get("stage") == "two")


def test_what_the_other_side_refuses_is_said_once_and_not_tried_for_ever(world: World) -> None:
    """C19: names, keys or values that the other side refuses, and port 0, fail for ever in consul-aws."""
    world.consul.register("my service!", "odd-1", "10.0.5.1", 80)
    meta = {"fine": "yes", "long": "ü" * 100}
    world.consul.register("web", "web-1", "10.0.1.1", 0, meta=meta)
    world.cloud.service("dotted.name")
    world.cloud.put("dotted.name", "i", "10.1.5.1")
    with world.syncing(proxied=True) as running:
        running.settled()
        shown = world.cloud.only("web").attributes
        assert (shown["fine"], "long" in shown, "AWS_INSTANCE_PORT" in shown) == ("yes", False, False)
        world.aws.calls.reset()
        world.proxy.forget()
        for _ in range(3):
            running.settled()
        assert world.cloud.writes() == 0
        assert world.proxy.calls("PUT") == []
        said = {skip.service: skip for r in running.reports.passes for skip in r.untranslated}
        odd = said["my service!"]
        assert isinstance(odd, Skip)
        assert "rename" in odd.advice
        assert "one label only" in said["dotted.name"].reason


def test_one_of_two_ports_of_a_host_goes_and_the_other_stays(world: World) -> None:
    """C20: when one of two ports of a host goes, consul-aws tries to delete the live service."""
    world.consul.register("web", "web-a", "10.0.1.1", 8080)
    world.consul.register("web", "web-b", "10.0.1.1", 8081)
    world.consul.register("api", "api-1", "10.0.2.1", 8080)
    with world.syncing(SRV, proxied=True):
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"] * 2)
        world.consul.deregister("web-a")
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])
        assert world.cloud.only("web").attributes["AWS_INSTANCE_PORT"] == "8081"
        never(lambda: world.aws.calls.count("DeleteService") or "web" not in world.cloud.state(), 0.5)


def test_of_a_name_on_both_sides_only_what_died_goes(world: World) -> None:
    """C22: a name lives natively on both sides, the Consul instance dies: its address stays on both sides."""
    populate(world)
    world.consul.register("both", "both-1", "10.0.7.1", 8080)
    world.cloud.put("both", "both-2", "10.1.7.2")
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        assert world.cloud.addresses("both") == world.in_consul("both") == ["10.0.7.1", "10.1.7.2"]
        world.consul.deregister("both-1")
        eventually(lambda: world.cloud.addresses("both") == ["10.1.7.2"])
        running.settled()
        assert world.in_consul("both") == ["10.1.7.2"]
        assert "sync-owner" not in world.cloud.only("both").attributes
        assert world.proxy.removed() == []
