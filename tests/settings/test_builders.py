"""From settings to the core's values."""

import re
from pathlib import Path

import pytest

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.filters import Filter
from syncer.core.forms import ConsulDomain
from syncer.core.guard import GuardLimits
from syncer.core.names import Naming
from syncer.core.rules import Address, RouteRules, SameName, Unhealthy
from syncer.settings.aws import Account
from tests.settings.support import LEAST, loaded

CARRIER = Carrier(
    name_problem=lambda _name: None,
    attributes=AttributeLimits(30, re.compile(r".*"), 255, re.compile(r".*"), 1024),
)
BOTH = """
owner: vpc-prod
namespaces:
  - name: corp.internal
    consul_to_cloudmap: &all
      include: [web-*]
      exclude: [web-test]
      include_tags: [public]
      exclude_tags: [canary]
      include_attributes: {env: prod}
      exclude_attributes: {sync: "no"}
      prefix: a-
      suffix: -z
      rename: {one: two}
      tags: [extra]
      attributes: {from: sync}
      unhealthy: mark
      keep_last: false
      same_name: skip
      transit: true
    cloudmap_to_consul: {<<: *all, unhealthy: withdraw}
"""


def test_a_directions_filter_and_naming_hold_what_is_written(tmp_path: Path) -> None:
    for direction in ("consul_to_cloudmap", "cloudmap_to_consul"):
        written = getattr(loaded(tmp_path, BOTH).namespaces[0], direction)
        assert written.filter() == Filter(
            ("web-*",), ("web-test",), ("public",), ("canary",), {"env": "prod"}, {"sync": "no"}
        )
        assert written.naming() == Naming("a-", "-z", {"one": "two"})


def test_the_rules_into_cloud_map_hold_everything_that_is_written(tmp_path: Path) -> None:
    text = BOTH.replace("&all", "").replace("{<<: *all, unhealthy: withdraw}", "true")
    text = text.replace(
        "      prefix", "      records: [A, SRV]\n      ttl: 1m\n      address: public\n      prefix"
    )
    direction = loaded(tmp_path, text).namespaces[0].consul_to_cloudmap
    assert direction.rules("r", "o", "consul/dc1", "cloudmap/ns-1", CARRIER) == RouteRules(
        id="r",
        owner="o",
        source="consul/dc1",
        target="cloudmap/ns-1",
        carrier=CARRIER,
        naming=direction.naming(),
        filter=direction.filter(),
        extra_tags=("extra",),
        extra_attributes={"from": "sync"},
        unhealthy=Unhealthy.MARK,
        keep_last=False,
        same_name=SameName.SKIP,
        address=Address.PUBLIC,
        transit=True,
        records=frozenset({"A", "SRV"}),
        ttl=60,
    )


def test_the_rules_into_consul_ask_for_no_record(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BOTH).namespaces[0].cloudmap_to_consul.rules("r", "o", "s", "t", CARRIER)
    assert rules.records == frozenset()
    assert rules.unhealthy is Unhealthy.WITHDRAW


def test_by_default_critical_instances_leave_cloud_map_and_are_marked_in_consul(tmp_path: Path) -> None:
    namespace = loaded(tmp_path, LEAST).namespaces[0]
    into_cloudmap = namespace.consul_to_cloudmap.rules("r", "o", "s", "t", CARRIER)
    into_consul = namespace.cloudmap_to_consul.rules("r", "o", "s", "t", CARRIER)
    assert into_cloudmap == RouteRules(id="r", owner="o", source="s", target="t", carrier=CARRIER)
    assert into_consul.unhealthy is Unhealthy.MARK


def test_the_guards_limits_are_the_cores(tmp_path: Path) -> None:
    guard = loaded(tmp_path, LEAST + "guard: {share: 50%, floor: 3, release_after: never}\n").guard
    assert guard.limits() == GuardLimits(0.5, 3)
    assert guard.release_after is None
    assert loaded(tmp_path, LEAST).guard.limits() == GuardLimits()


def test_a_namespace_is_worked_on_with_its_own_rights_before_those_of_all(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
owner: a
aws: {region: eu-central-1, profile: p, role_arn: "arn:aws:iam::111111111111:role/r", external_id: all}
namespaces:
  - name: plain
  - name: own
    region: us-east-1
    role_arn: arn:aws:iam::222222222222:role/r
    external_id: own
  - id: arn:aws:servicediscovery:eu-west-1:333333333333:namespace/ns-abc
""",
    )
    role = "arn:aws:iam::111111111111:role/r"
    assert [item.account(settings.aws) for item in settings.namespaces] == [
        Account("eu-central-1", "p", role, "all"),
        Account("us-east-1", "p", "arn:aws:iam::222222222222:role/r", "own"),
        Account("eu-west-1", "p", role, "all"),
    ]


def test_labels_are_unique_and_as_short_as_they_can_be(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
owner: a
namespaces:
  - name: alone
  - {name: Split, type: private}
  - {name: split, type: public}
  - {name: wide}
  - {name: wide, region: eu-west-1}
  - {name: wide, region: eu-west-1, role_arn: "arn:aws:iam::222222222222:role/r"}
  - {name: made, create: {type: http}}
  - {name: made, type: public}
  - {id: ns-abc}
  - {id: "arn:aws:servicediscovery:eu-west-1:333333333333:namespace/ns-def"}
""",
    )
    labels = settings.labels()
    assert labels == (
        "alone",
        "Split@private",
        "split@public",
        "wide",
        "wide@eu-west-1",
        "wide@eu-west-1@222222222222",
        "made@http",
        "made@public",
        "ns-abc",
        "ns-def",
    )
    assert len({label.lower() for label in labels}) == len(labels)


@pytest.mark.parametrize(
    ("consul", "server"),
    [
        ("", ("127.0.0.1", 8600)),
        ("consul: {address: https://consul.example.com:8501}", ("consul.example.com", 8600)),
        ("consul: {dns_address: 10.0.0.2}", ("10.0.0.2", 8600)),
        ('consul: {dns_address: "10.0.0.2:53"}', ("10.0.0.2", 53)),
    ],
)
def test_consuls_dns_server_is_on_its_own_host_unless_written(
    tmp_path: Path, consul: str, server: tuple[str, int]
) -> None:
    assert loaded(tmp_path, LEAST + consul).consul.dns_server == server


def test_the_datacenter_is_the_agents_unless_written(tmp_path: Path) -> None:
    assert loaded(tmp_path, LEAST).consul.dns_domain("dc1") == ConsulDomain("consul", "dc1")
    written = loaded(tmp_path, LEAST + "consul: {datacenter: dc2, domain: example}\n").consul
    assert written.dns_domain("dc1") == ConsulDomain("example", "dc2")


def test_the_namespace_and_the_partition_are_part_of_consuls_names(tmp_path: Path) -> None:
    written = loaded(tmp_path, LEAST + "consul: {namespace: team-a, partition: edge}\n").consul
    assert written.dns_domain("dc1") == ConsulDomain("consul", "dc1", "team-a", "edge")
