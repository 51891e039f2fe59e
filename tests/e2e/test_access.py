"""Getting in: ACLs with exactly the printed policy, a token that loses rights, TLS with a client certificate."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scenes import EXPORTED, IMPORTED, assert_all_there, populate
from tests.e2e.world import World, never
from tests.support.consul_agent import ConsulAgent
from tests.support.consul_files import ROOT
from tests.support.wait import eventually

POLICY = (ROOT / "deploy" / "consul" / "policy.hcl").read_text()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[World]:
    """A Consul that denies what nobody allowed."""
    with World(tmp_path, consul=ConsulAgent(acl=True)) as world:
        yield world


def test_the_printed_policy_is_enough_for_both_directions(guarded: World) -> None:
    populate(guarded)
    secret = guarded.folder / "token"
    secret.write_text(guarded.consul.create_token(POLICY) + "\n")
    with guarded.syncing({"consul": {"token_file": str(secret)}}, proxied=True) as running:
        running.settled()
        assert_all_there(guarded)
        guarded.consul.register("cart", "cart-1", "10.0.5.1", 8080)
        guarded.cloud.register("mail", "mail-1", "10.1.5.1")
        eventually(lambda: guarded.cloud.addresses("cart") == ["10.0.5.1"])
        eventually(lambda: guarded.in_consul("mail") == ["10.1.5.1"])
        guarded.consul.deregister("web-1")
        guarded.cloud.deregister("orders", "orders-1")
        eventually(lambda: guarded.cloud.addresses("web") == EXPORTED["web"][1:])
        eventually(lambda: guarded.in_consul("orders") == IMPORTED["orders"][1:])


def test_a_token_that_loses_its_rights_withdraws_nothing(guarded: World) -> None:
    populate(guarded)
    rules = {"Name": "syncer", "Rules": POLICY}
    policy = guarded.consul.call("PUT", "/v1/acl/policy", rules)["ID"]
    token = guarded.consul.call("PUT", "/v1/acl/token", {"Policies": [{"ID": policy}]})["SecretID"]
    with guarded.syncing({"consul": {"token": token}}, proxied=True) as running:
        running.settled()
        guarded.proxy.forget()
        for less in ('service_prefix "api" { policy = "read" }', 'node_prefix "" { policy = "read" }', ""):
            guarded.consul.call("PUT", f"/v1/acl/policy/{policy}", {**rules, "Rules": less})
            for _ in range(4):
                running.reread()
                never(lambda: guarded.cloud.withdrawn() + guarded.proxy.removed(), 0.3)
        guarded.consul.register("web", "web-4", "10.0.1.4", 8080)
        guarded.consul.call("PUT", f"/v1/acl/policy/{policy}", rules)
        eventually(lambda: guarded.cloud.addresses("web") == [*EXPORTED["web"], "10.0.1.4"])
        assert_all_there(guarded)
        assert guarded.cloud.withdrawn() + guarded.proxy.removed() == []


def test_consul_is_reached_over_tls_with_a_client_certificate(tmp_path: Path) -> None:
    agent = ConsulAgent(tls=True, config={"verify_incoming_https": True})
    with World(tmp_path, consul=agent) as world:
        populate(world)
        files = {"ca_file": agent.ca_file, "cert_file": agent.client_cert, "key_file": agent.client_key}
        tls = {key: str(path) for key, path in files.items()}
        with world.syncing({"consul": {"address": agent.https_url, "tls": tls}}) as running:
            running.settled()
            assert_all_there(world)
            world.consul.register("web", "web-4", "10.0.1.4", 8080)
            eventually(lambda: world.cloud.addresses("web") == [*EXPORTED["web"], "10.0.1.4"])


def test_a_server_of_another_authority_is_not_believed(tmp_path: Path) -> None:
    with World(tmp_path, consul=ConsulAgent(tls=True)) as world:
        populate(world)
        with world.syncing({"consul": {"address": world.consul.https_url}}) as running:
            eventually(lambda: "certificate verify failed" in " ".join(running.installation.waiting()))
            assert world.cloud.writes() == 0
