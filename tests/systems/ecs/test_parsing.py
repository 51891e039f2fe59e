"""What ECS and EC2 answer, in all the forms that they have."""

from typing import Any

import pytest

from syncer.systems.ecs.model import Address, Port
from syncer.systems.ecs.parse import instance_address, interface_address, node_address, to_definition, to_task

RAW: dict[str, Any] = {
    "taskArn": "arn:aws:ecs:eu-central-1:123456789012:task/prod/0123abcd",
    "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod",
    "taskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:7",
    "group": "service:web",
    "lastStatus": "RUNNING",
    "desiredStatus": "RUNNING",
    "version": 4,
}


def attachment(kind: str, interface: str, ipv4: str) -> dict[str, Any]:
    details = {"networkInterfaceId": interface, "privateIPv4Address": ipv4}
    return {"type": kind, "details": [{"name": name, "value": value} for name, value in details.items()]}


def test_a_task_says_what_it_is() -> None:
    task = to_task(RAW)
    assert (task.id, task.cluster, task.service, task.name) == ("0123abcd", "prod", "web", "web")
    assert (task.family, task.revision, task.region, task.version) == ("web", "7", "eu-central-1", 4)
    assert task.running


def test_a_group_of_ones_own_is_no_service() -> None:
    task = to_task({**RAW, "group": "nightly"})
    assert (task.service, task.name) == (None, "web")


@pytest.mark.parametrize("kind", ["ElasticNetworkInterface", "eni"])
def test_of_several_interfaces_the_first_is_the_tasks(kind: str) -> None:
    others = [{"type": "ElasticBlockStorage", "details": []}, {"type": kind, "details": []}]
    own = [attachment(kind, "eni-1", "10.0.0.1"), attachment(kind, "eni-2", "10.0.0.2")]
    task = to_task({**RAW, "attachments": [*others, *own]})
    assert (task.interface, task.interface_ipv4) == ("eni-1", "10.0.0.1")


def test_an_interface_that_is_still_to_come_is_none_yet_and_one_that_left_is_none_any_more() -> None:
    coming = {"type": "ElasticNetworkInterface", "status": "PRECREATED", "details": []}
    gone = {**attachment("ElasticNetworkInterface", "eni-1", "10.0.0.1"), "status": "DELETED"}
    own = {**attachment("ElasticNetworkInterface", "eni-2", "10.0.0.2"), "status": "ATTACHED"}
    found = {
        name: to_task({**RAW, "attachments": attachments}).interface
        for name, attachments in {"none": [], "coming": [coming], "gone": [gone], "own": [gone, own]}.items()
    }
    assert found == {"none": None, "coming": "", "gone": None, "own": "eni-2"}


def test_a_task_without_an_arn_is_refused() -> None:
    with pytest.raises(KeyError):
        to_task({key: value for key, value in RAW.items() if key != "taskArn"})


def test_bindings_come_once_for_both_ip_versions_and_ranges_are_spread_out() -> None:
    bindings = [
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"},
        {"bindIP": "::", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"},
        {"containerPortRange": "7000-7001", "hostPortRange": "40000-40001", "protocol": "udp"},
        {"hostPort": 9000},
        {"containerPort": 1},
    ]
    task = to_task({**RAW, "containers": [{"name": "app", "networkBindings": bindings}]})
    assert task.containers[0].bindings == (
        Port(80, 32768),
        Port(7000, 40000, "udp"),
        Port(7001, 40001, "udp"),
        Port(9000, 9000),
    )


def test_a_definition_declares_ports_and_ranges_in_order() -> None:
    mappings = [
        {"containerPort": 9090},
        {"containerPortRange": "8000-8002", "protocol": "udp"},
        {"name": "odd"},
    ]
    raw = {"containerDefinitions": [{"name": "sidecar"}, {"name": "app", "portMappings": mappings}]}
    ports = to_definition(raw).ports
    assert list(ports) == ["sidecar", "app"]
    assert [port.number for port in ports["app"]] == [9090, 8000, 8001, 8002]


def test_an_interface_may_have_nothing_but_a_private_address() -> None:
    assert interface_address({"PrivateIpAddress": "10.0.0.1"}) == Address(ipv4="10.0.0.1")


def test_a_hosts_ipv6_address_may_stand_on_its_interface() -> None:
    raw = {
        "PrivateIpAddress": "10.0.0.1",
        "PublicIpAddress": "54.1.1.1",
        "NetworkInterfaces": [{"Ipv6Addresses": []}, {"Ipv6Addresses": [{"Ipv6Address": "2600:1f18::1"}]}],
        "Placement": {"AvailabilityZone": "eu-central-1a"},
    }
    found = instance_address(raw)
    assert (found.public_ipv4, found.ipv6, found.zone) == ("54.1.1.1", "2600:1f18::1", "eu-central-1a")


@pytest.mark.parametrize("text", ["", "host.example.com", "10.0.0.1, 10.0.0.2"])
def test_what_ssm_says_may_be_no_address(text: str) -> None:
    assert node_address({"IPAddress": text}) == Address()
