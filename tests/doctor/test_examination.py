"""The doctor looks at a real Consul and an emulated AWS: what is wrong is found, and nothing is changed."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from syncer.app.doctor.examination import examine
from syncer.app.doctor.findings import Finding, Level
from syncer.settings import load
from tests.e2e.cloud import WRITES
from tests.e2e.world import NAMESPACE, World

Tree = Mapping[str, Any]
REFUSED = "User: arn:aws:sts::123456789012:assumed-role/syncer is not authorized to perform this"


def examined(world: World, *changes: Tree, proxied: bool = False) -> list[Finding]:
    """Return everything that is found under the settings that *changes* make."""
    at_once = {"aws": {"rates": {"ListNamespaces": {"rate": 100, "burst": 100}}}}
    return list(examine(world.settings(at_once, *changes, proxied=proxied), threading.Event()))


def bad(findings: list[Finding]) -> list[Finding]:
    """Return the faults."""
    return [finding for finding in findings if finding.level is Level.FAULT]


def about(findings: list[Finding], *words: str) -> Finding:
    """Return the one finding that has all of *words*."""
    found = [item for item in findings if all(word in f"{item.about}: {item.what}" for word in words)]
    assert len(found) == 1, f"{len(found)} findings with {words} among:\n" + "\n".join(map(str, findings))
    return found[0]


def test_where_all_is_well_there_is_no_fault(world: World) -> None:
    findings = examined(world)
    assert bad(findings) == []
    assert about(findings, "Consul", "the leader is").level is Level.OK
    assert about(findings, "Consul", "the datacenter is dc1").level is Level.OK
    assert "123456789012" in about(findings, "AWS", "we are").what
    assert world.namespace_id in about(findings, NAMESPACE, "it is ns-").what
    assert about(findings, NAMESPACE, "may read: ").level is Level.OK
    assert about(findings, NAMESPACE, "may write: ").level is Level.OK


def test_nothing_is_changed_whatever_is_tried(world: World) -> None:
    world.consul.register("untouched", "u1", "10.0.0.1", 80)
    world.cloud.put("untouched-too", "u2", "10.1.0.1")
    catalogue, cloud = world.consul.services(), world.cloud.state()
    world.aws.calls.reset()
    examined(world, {"namespaces": [{"name": NAMESPACE}]})
    assert world.consul.services() == catalogue
    assert world.cloud.state() == cloud
    tried = {item for item in WRITES if world.aws.calls.count(item)}
    assert tried == set(WRITES)
    succeeded = [entry for name in WRITES for entry in world.aws.calls.entries(name) if entry.outcome == "ok"]
    assert succeeded == []


def test_every_permission_that_is_missing_is_a_fault_of_its_own(world: World) -> None:
    lacking = ("RegisterInstance", "DiscoverInstancesRevision", "TagResource")
    for operation in lacking:
        world.aws.fault(
            "error", operation=operation, code="AccessDeniedException", status=400, message=REFUSED
        )
    findings = examined(world)
    for operation in lacking:
        finding = about(findings, f"may not call {operation}:")
        assert finding.level is Level.FAULT
        assert finding.advice == f"allow servicediscovery:{operation}"
    assert "RegisterInstance" not in about(findings, "may write: ").what
    assert "DeregisterInstance" in about(findings, "may write: ").what


def test_writes_are_not_tried_where_nothing_is_written(world: World) -> None:
    world.aws.calls.reset()
    section = {"name": NAMESPACE, "consul_to_cloudmap": False}
    findings = examined(world, {"namespaces": [section]})
    assert not any(world.aws.calls.count(operation) for operation in WRITES)
    assert not any("may write" in finding.what for finding in findings)


def test_without_the_right_to_list_namespaces_one_that_is_known_by_its_id_is_looked_at(world: World) -> None:
    world.aws.fault(
        "error", operation="ListNamespaces", code="AccessDeniedException", status=400, message=REFUSED
    )
    findings = examined(world, {"namespaces": [{"id": world.namespace_id}]})
    assert about(findings, "may not call ListNamespaces").level is Level.FAULT
    assert about(findings, f"it is {world.namespace_id}").level is Level.OK


def test_a_permission_that_cannot_be_tried_is_only_a_warning(world: World) -> None:
    world.aws.fault("error", operation="UpdateService", code="ThrottlingException", status=400)
    assert about(examined(world), "whether UpdateService may be called").level is Level.WARNING


@pytest.mark.parametrize("times", [1, None], ids=["once", "for-good"])
def test_throttling_is_not_taken_for_a_missing_network(world: World, times: int | None) -> None:
    world.aws.fault("error", operation="ListNamespaces", code="ThrottlingException", status=400, count=times)
    section = {"id": world.namespace_id}
    findings = examined(world, {"namespaces": [section]})
    assert bad(findings) == []
    assert about(findings, "AWS", "Cloud Map answers").level is (Level.OK if times else Level.WARNING)
    assert any("is throttled" in finding.what for finding in findings) is (times is None)
    assert about(findings, world.namespace_id, "may write: ").level is Level.OK


def test_a_namespace_whose_look_up_is_throttled_is_a_warning(world: World) -> None:
    world.aws.fault("error", operation="GetNamespace", code="ThrottlingException", status=400)
    finding = about(examined(world), NAMESPACE, "it could not be looked up")
    assert finding.level is Level.WARNING
    assert "try again in a minute" in finding.advice


def test_without_consul_the_other_probes_go_on(world: World) -> None:
    findings = examined(world, {"consul": {"address": "http://127.0.0.1:1"}})
    assert about(findings, "Consul", "does not answer").level is Level.FAULT
    assert about(findings, NAMESPACE, "it is ns-").level is Level.OK
    assert about(findings, "plan", "without Consul").level is Level.FAULT


def test_without_aws_the_other_probes_go_on_and_end_in_time(world: World) -> None:
    began = time.monotonic()
    findings = examined(world, {"aws": {"endpoint_url": "http://127.0.0.1:1", "timeout": 1}})
    assert time.monotonic() - began < 60
    assert about(findings, "Consul", "the leader is").level is Level.OK
    assert about(findings, "STS cannot be asked").level is Level.WARNING
    assert about(findings, "Cloud Map does not answer").level is Level.FAULT
    assert about(findings, "plan", "without a namespace").level is Level.FAULT


def test_a_server_that_hangs_is_not_waited_for_longer_than_the_timeout(world: World) -> None:
    began = time.monotonic()
    with world.proxy.failing("hang", "status/leader", seconds=90):
        findings = examined(world, {"consul": {"timeout": 1}}, proxied=True)
    assert time.monotonic() - began < 60
    assert "no answer in time" in about(findings, "Consul", "does not answer").what


def test_credentials_that_aws_does_not_know_end_what_rests_on_them(world: World) -> None:
    world.aws.fault("error", operation="sts:GetCallerIdentity", code="InvalidClientTokenId", status=403)
    findings = examined(world)
    assert about(findings, "AWS does not know who we are").level is Level.FAULT
    assert not any("may " in finding.what for finding in findings if finding.about == NAMESPACE)


def test_a_role_that_cannot_be_assumed_is_named(world: World) -> None:
    role = "arn:aws:iam::210987654321:role/nobody"
    world.aws.fault("error", operation="sts:AssumeRole", code="AccessDenied", status=403)
    finding = about(examined(world, {"aws": {"role_arn": role}}), "AWS does not know who we are")
    assert role in finding.advice


def test_a_consul_without_a_leader_is_a_fault(world: World) -> None:
    with world.proxy.failing("replace", "status/leader", body='""'):
        findings = examined(world, proxied=True)
    assert about(findings, "knows no leader").level is Level.FAULT


def test_what_answers_but_is_no_consul_is_told_from_one(world: World) -> None:
    with world.proxy.failing("garbage", "status/leader"):
        assert about(examined(world, proxied=True), "Consul", "does not answer").level is Level.FAULT


def test_too_few_connections_are_a_fault_that_says_what_to_write(world: World) -> None:
    agent = (
        '{"Config": {"Datacenter": "dc1", "Version": "1.21.0"}, "DebugConfig": {"HTTPMaxConnsPerClient": 60}}'
    )
    with world.proxy.failing("replace", "agent/self", body=agent):
        finding = about(examined(world, proxied=True), "http_max_conns_per_client is 60")
    assert finding.level is Level.FAULT
    assert "consul.watch.narrow: 36" in finding.advice


def test_replicas_need_more_connections(world: World) -> None:
    plain, shared = (
        about(examined(world, {"lease": lease}), "connections at most") for lease in (False, True)
    )
    assert int(shared.what.split()[0]) > int(plain.what.split()[0])


def test_an_old_version_is_a_warning_that_says_what_it_lacks(world: World) -> None:
    servers = (
        '[{"Node": {"Node": "n"}, "Service": {"ID": "c", "Service": "consul", "Meta": {"version": "1.6.1"}}}]'
    )
    with world.proxy.failing("replace", "health/service/consul", body=servers):
        finding = about(examined(world, proxied=True), "version 1.6.1")
    assert finding.level is Level.WARNING
    assert "which rights a token has" in finding.what


def test_a_clock_that_differs_is_a_warning(world: World) -> None:
    with world.proxy.failing("header", "status/leader", body="Date: Sat, 21 Nov 2020 12:00:00 GMT"):
        findings = examined(world, proxied=True)
    assert about(findings, "Consul", "clock is").level is Level.WARNING


def test_a_certificate_that_cannot_be_used_is_a_fault(world: World) -> None:
    broken = world.folder / "broken.pem"
    broken.write_text("no certificate")
    tls = {"address": "https://127.0.0.1:1", "tls": {"ca_file": str(broken)}}
    assert about(examined(world, {"consul": tls}), "the certificates cannot be used").level is Level.FAULT


def test_a_namespace_that_is_not_there_is_a_fault_unless_it_is_to_be_created(world: World) -> None:
    missing = {"name": "nowhere.internal", "region": "eu-west-1"}
    findings = examined(world, {"namespaces": [{"name": NAMESPACE}, missing]})
    assert about(findings, "there is no namespace called nowhere.internal").level is Level.FAULT
    assert about(findings, NAMESPACE, "it is ns-").level is Level.OK
    created = {**missing, "create": {"type": "http"}}
    findings = examined(world, {"namespaces": [{"name": NAMESPACE}, created]})
    assert about(findings, "will be created").level is Level.OK
    assert about(findings, "may write: CreateHttpNamespace").level is Level.OK
    assert bad(findings) == []
    (tried,) = world.aws.calls.entries("CreateHttpNamespace")
    assert tried.outcome == "InvalidInput"


def test_a_first_deployment_that_creates_its_only_namespace_has_no_fault(world: World) -> None:
    missing = {"name": "first.internal", "region": "eu-west-1", "create": {"type": "http"}}
    findings = examined(world, {"namespaces": [missing]})
    assert bad(findings) == []
    assert about(findings, "consul->first.internal", "services looked at").level is Level.OK


def test_a_name_that_two_namespaces_have_is_a_fault(world: World) -> None:
    world.aws.seed.namespace("twice.internal", "DNS_PRIVATE")
    world.aws.seed.namespace("twice.internal", "HTTP")
    findings = examined(world, {"namespaces": [{"name": "twice.internal"}]})
    assert "several namespaces" in about(findings, "twice.internal", "cannot be looked up").what


def test_a_namespace_that_was_there_before_is_known_by_another_name(world: World) -> None:
    world.cloud.done(world.cloud.client.delete_namespace(Id=world.aws.seed.namespace("again.internal")))
    world.aws.seed.namespace("again.internal")
    finding = about(
        examined(world, {"namespaces": [{"name": "again.internal"}]}), "DiscoverInstances knows it as"
    )
    assert finding.level is Level.WARNING
    assert "'again.internal_" in finding.what


def test_what_dns_will_make_of_the_services_is_told(world: World) -> None:
    world.aws.seed.namespace("answers.internal", "DNS_PRIVATE")
    many = world.aws.seed.service("answers.internal", "many", records={"A": 15})
    for number in range(9):
        world.aws.seed.instance(many, f"i{number}", {"AWS_INSTANCE_IPV4": f"10.2.0.{number}"})
    world.aws.seed.service("answers.internal", "silent", records={"SRV": 15})
    findings = examined(world, {"namespaces": [{"name": "answers.internal"}]})
    assert "many (9)" in about(findings, "more than 8 instances").what
    assert "silent (SRV)" in about(findings, "no A or AAAA records").what
    negative = about(findings, "that a name is not there")
    assert negative.level is Level.WARNING
    assert "update-private-dns-namespace" in negative.advice


def test_quotas_that_are_near_are_told(world: World) -> None:
    before = world.aws.settings
    world.aws.settings = replace(before, instances_per_namespace=3000)
    try:
        world.aws.seed.namespace("full.internal", "HTTP")
        world.aws.seed.bulk("full.internal", 2, 850, prefix="big-")
        findings = examined(world, {"namespaces": [{"name": "full.internal"}]})
    finally:
        world.aws.settings = before
    assert about(findings, "1700 instances, of 2000").level is Level.WARNING
    assert "big-" in about(findings, "near the 1000 instances").what


def test_many_namespaces_are_told(world: World) -> None:
    seed = world.aws.seed.at(account="123456789012", region="eu-north-1")
    for number in range(41):
        seed.namespace(f"n{number}.internal", "HTTP")
    section = {"name": "n0.internal", "region": "eu-north-1"}
    assert about(examined(world, {"namespaces": [section]}), "41 namespaces").level is Level.WARNING


def test_names_that_cannot_be_carried_come_with_the_line_to_write(world: World) -> None:
    world.consul.register("legacy api", "l1", "10.0.0.9", 80)
    finding = about(examined(world), "consul->corp.internal: legacy api:")
    assert finding.level is Level.WARNING
    assert finding.advice == "write rename: {'legacy api': 'legacy-api'}"


def test_names_that_would_meet_come_as_a_conflict(world: World) -> None:
    world.consul.register("Twin", "t1", "10.0.0.11", 80)
    world.consul.register("twin", "t2", "10.0.0.12", 80)
    found = [item for item in examined(world) if "would meet under one name" in item.what]
    assert {item.level for item in found} == {Level.WARNING}
    world.consul.deregister("t1")
    world.consul.deregister("t2")


def test_other_owners_marks_are_told(world: World) -> None:
    meta = {
        "sync-owner": "somebody",
        "sync-origin": "cloudmap/ns-1",
        "sync-service": "s",
        "sync-instance": "i",
    }
    world.consul.register("theirs", "o1", "10.0.0.21", 80, meta=meta)
    finding = about(examined(world), "Consul dc1", "another owner, 'somebody'")
    assert finding.level is Level.WARNING
    assert "theirs" in finding.what
    world.consul.deregister("o1")


def test_what_cannot_be_read_is_a_fault(world: World) -> None:
    world.cloud.put("unread", "x1", "10.1.0.77")
    world.aws.fault(
        "error", operation="DiscoverInstances", service="unread", code="InternalFailure", status=500
    )
    assert about(examined(world), "corp.internal->consul: unread:", "InternalFailure").level is Level.FAULT


def test_what_cannot_be_listed_is_a_fault(world: World) -> None:
    with world.proxy.failing("status", "catalog/services", status=500):
        findings = examined(world, proxied=True)
    assert any("not everything could be listed" in finding.what for finding in bad(findings))


def test_it_ends_early_when_it_is_told_to_stop(world: World) -> None:
    stop = threading.Event()
    stop.set()
    findings = list(examine(world.settings(), stop))
    assert not any(finding.about == NAMESPACE for finding in findings)


def test_removals_that_would_be_held_come_with_the_arithmetic(world: World) -> None:
    world.aws.seed.namespace("held.internal", "DNS_PRIVATE")
    service = world.aws.seed.service("held.internal", "gone", records={"A": 15}, custom_health=True)
    for number in range(12):
        marks = {
            "sync-owner": "tests",
            "sync-origin": "consul/dc1",
            "sync-service": "gone",
            "sync-instance": f"n/{number}",
        }
        world.aws.seed.instance(service, f"i{number}", {"AWS_INSTANCE_IPV4": f"10.3.0.{number}", **marks})
    findings = examined(world, {"namespaces": [{"name": "held.internal"}]})
    finding = about(findings, "consul->held.internal: gone: 12 removals would be held")
    assert finding.level is Level.WARNING
    assert "syncer approve 'consul->held.internal'" in finding.advice


@pytest.mark.parametrize("direction", ["consul_to_cloudmap", "cloudmap_to_consul"])
def test_with_one_direction_one_route_is_planned(world: World, direction: str) -> None:
    section = {"name": NAMESPACE, direction: False}
    routes = {item.about for item in examined(world, {"namespaces": [section]}) if "->" in item.about}
    expected = f"{NAMESPACE}->consul" if direction == "consul_to_cloudmap" else f"consul->{NAMESPACE}"
    assert routes == {expected}


def test_without_a_region_aws_cannot_be_asked(world: World) -> None:
    tree = world.tree()
    del tree["aws"]["region"]
    findings = list(examine(load(world.file(tree, "nowhere.yaml"), {}), threading.Event()))
    finding = about(findings, "the Region of the environment", "Cloud Map cannot be asked")
    assert finding.level is Level.FAULT
    assert "aws.region" in finding.advice


def test_a_namespace_that_cannot_be_looked_up_is_a_fault(world: World) -> None:
    world.aws.fault("error", operation="GetNamespace", code="InvalidInput", status=400)
    assert about(examined(world), NAMESPACE, "it cannot be looked up").level is Level.FAULT


def test_services_that_cannot_be_listed_are_a_fault(world: World) -> None:
    world.aws.fault(
        "error", operation="ListServices", code="AccessDeniedException", status=400, message=REFUSED
    )
    assert about(examined(world), NAMESPACE, "its services cannot be listed").level is Level.FAULT


def test_a_version_that_is_not_shown_is_a_warning(world: World) -> None:
    with (
        world.proxy.failing("status", "agent/self", status=403),
        world.proxy.failing("replace", "health/service/consul", body="[]"),
    ):
        findings = examined(world, {"consul": {"datacenter": "dc1"}}, proxied=True)
    assert about(findings, "its version is not shown").level is Level.WARNING
    assert about(findings, "the limit is not shown to this token").level is Level.OK


def test_answers_that_fail_in_between_are_warnings(world: World) -> None:
    with world.proxy.failing("status", "internal/acl/authorize", status=503):
        findings = examined(world, {"consul": {"datacenter": "dc1"}}, proxied=True)
    assert about(findings, "the rights could not be asked for").level is Level.WARNING
    with world.proxy.failing("status", "acl/token/self", status=503):
        findings = examined(world, proxied=True)
    assert about(findings, "whose token").level is Level.WARNING


def test_many_findings_of_one_kind_are_cut(world: World) -> None:
    for number in range(25):
        world.consul.register(f"bad name {number:02}", f"bad-{number}", "10.0.0.99", 80)
    findings = examined(world, {"namespaces": [{"name": NAMESPACE, "cloudmap_to_consul": False}]})
    assert sum("bad name" in item.what for item in findings) <= 20
    assert "syncer plan --verbose" in about(findings, "more of this kind").advice
    for number in range(25):
        world.consul.deregister(f"bad-{number}")
