import threading
from typing import Any

import pytest

from syncer.core.errors import Denied, Missing, Refused, Unavailable
from syncer.systems.aws import Access, Aws
from syncer.systems.route53.api import Route53
from syncer.systems.route53.zones import HostedZone, find_zone
from tests.emulator.route53_server import WithRoute53


def create(client: Any, name: str, *, private: bool = False) -> str:
    more: dict[str, Any] = {}
    if private:
        more = {
            "HostedZoneConfig": {"PrivateZone": True},
            "VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-1"},
        }
    created = client.create_hosted_zone(Name=name, CallerReference=f"{name}{private}", **more)
    return str(created["HostedZone"]["Id"]).rsplit("/", 1)[-1]


@pytest.mark.parametrize("prefix", ["", "/hostedzone/"])
def test_a_zone_is_found_by_its_id(api: Route53, zone: str, prefix: str) -> None:
    assert find_zone(api, prefix + zone) == HostedZone(zone, "example.com")


@pytest.mark.parametrize("name", ["example.com", "example.com.", "Example.COM"])
def test_a_zone_is_found_by_its_name_among_others(api: Route53, client: Any, zone: str, name: str) -> None:
    create(client, "example.net")
    create(client, "sub.example.com")
    assert find_zone(api, name) == HostedZone(zone, "example.com")


def test_of_a_public_and_a_private_zone_of_one_name_one_must_be_chosen(
    api: Route53, client: Any, zone: str
) -> None:
    private = create(client, "example.com", private=True)
    with pytest.raises(Refused, match="several hosted zones") as caught:
        find_zone(api, "example.com")
    assert zone in str(caught.value)
    assert private in str(caught.value)
    assert find_zone(api, "example.com", private=True) == HostedZone(private, "example.com", private=True)
    assert find_zone(api, "example.com", private=False).id == zone


def test_a_zone_of_another_account_is_missing_and_the_role_is_named_as_the_cause(api: Route53) -> None:
    with pytest.raises(Missing, match="account whose credentials"):
        find_zone(api, "Z0123456789ABC")
    with pytest.raises(Missing, match=r"no hosted zone example\.org"):
        find_zone(api, "example.org")


def test_the_zone_of_a_cloud_map_namespace_is_refused_with_advice(
    api: Route53, aws: WithRoute53, client: Any
) -> None:
    aws.seed.namespace("corp.internal")
    (found,) = client.list_hosted_zones_by_name(DNSName="corp.internal")["HostedZones"]
    with pytest.raises(Refused, match="namespaces"):
        find_zone(api, found["Id"])


def test_missing_rights_are_told_with_the_zone(api: Route53, aws: WithRoute53, zone: str) -> None:
    aws.fault("error", operation="route53:GetHostedZone", code="AccessDenied", status=403)
    with pytest.raises(Denied, match=zone):
        find_zone(api, zone)


def test_an_unreachable_route53_is_no_missing_zone(stop: threading.Event) -> None:
    access = Access(region="us-east-1", endpoint_url="http://127.0.0.1:9", timeout=0.5)
    stop.set()
    with pytest.raises(Unavailable):
        find_zone(Route53(Aws(access, stop=stop), stop), "example.com")
