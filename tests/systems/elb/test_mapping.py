from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.errors import Refused
from syncer.core.identity import target_id
from syncer.core.model import Health, Instance, Mark
from syncer.systems.elb.arns import name_problem
from syncer.systems.elb.mapping import Target, stored, to_api, to_instance, to_target

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"
MARK = Mark("prod", "ecs/prod", "web", "main/1")

instances = st.builds(
    Instance,
    st.just(ARN),
    st.text(min_size=1),
    ipv4=st.none() | st.ip_addresses(v=4).map(str),
    ipv6=st.none() | st.ip_addresses(v=6).map(lambda address: address.exploded),
    port=st.none() | st.integers(1, 65535),
    mark=st.none() | st.just(MARK),
    tags=st.just(("blue",)),
    health=st.sampled_from(Health),
)


@given(instances)
def test_storing_twice_changes_nothing(instance: Instance) -> None:
    once = stored(instance)
    assert stored(once) == once


@given(st.ip_addresses(), st.integers(1, 65535))
def test_a_target_reads_as_the_stored_form_of_what_was_registered(address: object, port: int) -> None:
    key = "ipv6" if ":" in str(address) else "ipv4"
    item = Instance(ARN, "x", port=port, mark=MARK, **{key: str(address)})  # type: ignore[arg-type]  # the key varies
    described = {
        "Target": {"Id": to_target(item).address, "Port": port},
        "TargetHealth": {"State": "healthy"},
    }
    assert to_instance(ARN, described, Mark("prod", "ecs/prod", "", "")) == stored(item)


def test_the_id_is_made_of_what_the_target_is_known_by() -> None:
    item = stored(Instance(ARN, "x", ipv4="10.0.0.1", port=80, mark=MARK))
    assert item.mark == Mark("prod", "ecs/prod", "", "10.0.0.1:80")
    assert item.id == target_id("ecs/prod", "", "10.0.0.1:80")


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("10.0.0.1", None),
        ("10.1.255.1", None),
        ("10.2.0.1", "all"),
        ("192.168.1.5", "all"),
        ("fd00::1", "all"),
    ],
)
def test_what_is_outside_the_vpc_is_in_all_zones(address: str, zone: str | None) -> None:
    blocks = (ip_network("10.0.0.0/16"), ip_network("10.1.0.0/16"))
    assert to_api(Target(address, 80), blocks).get("AvailabilityZone") == zone


@pytest.mark.parametrize(
    ("state", "reason", "health"),
    [
        ("healthy", "", Health.PASSING),
        ("unhealthy", "Target.Timeout", Health.CRITICAL),
        ("initial", "Elb.RegistrationInProgress", Health.UNKNOWN),
        ("unused", "Target.NotInUse", Health.UNKNOWN),
        ("unavailable", "Target.HealthCheckDisabled", Health.UNKNOWN),
        ("draining", "Target.DeregistrationInProgress", None),
    ],
)
def test_health_is_the_load_balancers_and_what_drains_is_gone(
    state: str, reason: str, health: Health | None
) -> None:
    described = {"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": {"State": state, "Reason": reason}}
    instance = to_instance(ARN, described, None)
    assert (instance.health if instance else None) == health


def test_a_target_that_is_no_address_is_no_instance() -> None:
    described = {"Target": {"Id": "i-0123456789abcdef0", "Port": 80}, "TargetHealth": {"State": "healthy"}}
    assert to_instance(ARN, described, None) is None


@pytest.mark.parametrize(
    ("item", "lack"),
    [(Instance(ARN, "x", port=80), "address"), (Instance(ARN, "x", ipv4="10.0.0.1"), "port")],
)
def test_what_lacks_address_or_port_is_no_target(item: Instance, lack: str) -> None:
    with pytest.raises(Refused, match=lack):
        to_target(item)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (ARN, None),
        (ARN.replace("arn:aws:", "arn:aws-cn:"), None),
        ("web", "no ARN"),
        (ARN.replace("targetgroup", "loadbalancer"), "no ARN"),
        (ARN.replace("eu-central-1", "us-east-1"), "us-east-1"),
    ],
)
def test_a_service_is_named_by_the_arn_of_a_group_in_the_region(name: str, reason: str | None) -> None:
    problem = name_problem(name, "eu-central-1")
    assert problem is None if reason is None else reason in (problem or "")
