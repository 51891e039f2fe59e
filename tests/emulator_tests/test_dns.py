from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import eventually, finished, register

IPV4, IPV6, PORT = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_PORT"

Ask = Callable[..., Any]


@pytest.fixture
def ask(aws: EmulatedAws) -> Ask:
    host, port = aws.dns_address

    def send(name: str, kind: str = "A", tcp: bool = False) -> Any:
        query = dns.message.make_query(name, kind)
        return (dns.query.tcp if tcp else dns.query.udp)(query, host, port=port, timeout=30)

    return send


def values(answer: Any) -> list[str]:
    return sorted(str(item) for rrset in answer.answer for item in rrset)


def verdict(answer: Any) -> tuple[str, list[str]]:
    return dns.rcode.to_text(answer.rcode()), values(answer)


def test_a_registration_is_answered_once_it_is_done_and_no_more_once_it_is_gone(
    client: Any, web: str, ask: Ask
) -> None:
    assert verdict(ask("web.corp.internal")) == ("NXDOMAIN", [])
    register(client, web, "i1", "10.0.0.1")
    eventually(lambda: values(ask("web.corp.internal")) == ["10.0.0.1"])
    assert ask("web.corp.internal").answer[0].ttl == 15
    finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))
    eventually(lambda: verdict(ask("web.corp.internal")) == ("NXDOMAIN", []))


def test_names_are_answered_in_any_case(aws: EmulatedAws, web: str, ask: Ask) -> None:
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    answer = ask("WEB.Corp.INTERNAL")
    assert values(answer) == ["10.0.0.1"]
    assert str(answer.answer[0].name) == "WEB.Corp.INTERNAL."


def test_multivalue_answers_with_eight_of_many_at_random(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    aws.seed.bulk(corp, 1, 30)
    answers = [tuple(values(ask("svc-0.corp.internal"))) for _ in range(10)]
    assert {len(answer) for answer in answers} == {8}
    assert len(set(answers)) > 1


def test_unhealthy_ones_are_left_out_until_all_are(aws: EmulatedAws, web: str, ask: Ask) -> None:
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    aws.seed.instance(web, "i2", {IPV4: "10.0.0.2"}, health="UNHEALTHY")
    assert values(ask("web.corp.internal")) == ["10.0.0.1"]
    aws.seed.health(web, "i1", "UNHEALTHY")
    assert values(ask("web.corp.internal")) == ["10.0.0.1", "10.0.0.2"]


def test_weighted_answers_with_one(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    aws.seed.bulk(corp, 1, 5, routing="WEIGHTED")
    assert len(values(ask("svc-0.corp.internal"))) == 1


def test_srv_leads_to_a_name_for_each_instance(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "web", records={"SRV": 30})
    aws.seed.instance(service, "i1", {IPV4: "10.0.0.1", IPV6: "fd00::1", PORT: "8080"})
    assert values(ask("web.corp.internal", "SRV")) == ["1 1 8080 i1.web.corp.internal."]
    assert values(ask("i1.web.corp.internal")) == ["10.0.0.1"]
    assert values(ask("I1.web.corp.internal", "AAAA")) == ["fd00::1"]
    assert verdict(ask("i2.web.corp.internal")) == ("NXDOMAIN", [])


def test_a_service_with_srv_only_has_no_address_of_its_own(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "web", records={"SRV": 30})
    aws.seed.instance(service, "i1", {IPV4: "10.0.0.1", PORT: "8080"})
    assert verdict(ask("web.corp.internal")) == ("NOERROR", [])


def test_an_instance_has_no_name_of_its_own_without_srv(aws: EmulatedAws, web: str, ask: Ask) -> None:
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    assert verdict(ask("i1.web.corp.internal")) == ("NXDOMAIN", [])


def test_a_and_srv_answer_both(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "web", records={"A": 15, "SRV": 15})
    aws.seed.instance(service, "i1", {IPV4: "10.0.0.1", PORT: "8080"})
    assert values(ask("web.corp.internal")) == ["10.0.0.1"]
    assert values(ask("web.corp.internal", "SRV")) == ["1 1 8080 i1.web.corp.internal."]


def test_aaaa_answers_and_a_is_no_data(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "web", records={"AAAA": 15})
    aws.seed.instance(service, "i1", {IPV6: "fd00::1"})
    assert values(ask("web.corp.internal", "AAAA")) == ["fd00::1"]
    assert verdict(ask("web.corp.internal", "A")) == ("NOERROR", [])


def test_a_cname_is_answered_and_followed(aws: EmulatedAws, corp: str, web: str, ask: Ask) -> None:
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    alias = aws.seed.service(corp, "alias", records={"CNAME": 15}, routing="WEIGHTED")
    aws.seed.instance(alias, "c1", {"AWS_INSTANCE_CNAME": "web.corp.internal"})
    assert values(ask("alias.corp.internal", "CNAME")) == ["web.corp.internal."]
    assert values(ask("alias.corp.internal", "A")) == ["10.0.0.1", "web.corp.internal."]


def test_negative_answers_carry_the_soa_whose_minimum_is_how_long_they_hold(
    aws: EmulatedAws, ask: Ask
) -> None:
    aws.seed.namespace("corp.internal", Properties={"DnsProperties": {"SOA": {"TTL": 60}}})
    (soa,) = ask("nothing.corp.internal").authority
    assert (str(soa.name), soa.ttl, soa[0].minimum) == ("corp.internal.", 60, 60)
    assert values(ask("corp.internal", "SOA")) != []
    assert verdict(ask("corp.internal")) == ("NOERROR", [])


def test_a_name_with_names_below_it_exists(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "_web._tcp")
    aws.seed.instance(service, "i1", {IPV4: "10.0.0.1"})
    assert verdict(ask("_web._tcp.corp.internal"))[1] == ["10.0.0.1"]
    assert verdict(ask("_tcp.corp.internal")) == ("NOERROR", [])


def test_http_services_and_namespaces_are_not_in_dns(aws: EmulatedAws, corp: str, ask: Ask) -> None:
    service = aws.seed.service(corp, "api", records={})
    aws.seed.instance(service, "i1", {IPV4: "10.0.0.1"})
    assert verdict(ask("api.corp.internal")) == ("NXDOMAIN", [])
    aws.seed.namespace("shop.example", "HTTP")
    assert verdict(ask("web.shop.example")) == ("REFUSED", [])


def test_a_namespace_may_be_called_service_consul(aws: EmulatedAws, ask: Ask) -> None:
    aws.seed.namespace("service.consul")
    web = aws.seed.service("service.consul", "web")
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    assert values(ask("web.service.consul")) == ["10.0.0.1"]
    assert verdict(ask("web.consul")) == ("REFUSED", [])


def test_tcp_answers_too_and_what_udp_cannot_carry_is_truncated(
    aws: EmulatedAws, corp: str, ask: Ask
) -> None:
    service = aws.seed.service(corp, f"{'x' * 60}.{'y' * 60}", records={"SRV": 15})
    for number in range(8):
        attributes = {IPV4: f"10.0.0.{number}", PORT: "80"}
        aws.seed.instance(service, f"{number}" * 60, attributes)
    name = f"{'x' * 60}.{'y' * 60}.corp.internal"
    assert ask(name, "SRV").flags & dns.flags.TC
    assert len(values(ask(name, "SRV", tcp=True))) == 8


def test_a_deleted_record_type_is_answered_no_more(client: Any, aws: EmulatedAws, web: str, ask: Ask) -> None:
    aws.seed.instance(web, "i1", {IPV4: "10.0.0.1"})
    finished(client, client.update_service(Id=web, Service={}))
    assert verdict(ask("web.corp.internal")) == ("NXDOMAIN", [])


def test_dns_lags_as_discovery_does(client: Any, aws: EmulatedAws, web: str, ask: Ask) -> None:
    aws.settings = replace(aws.settings, discover_lag=0.4)
    register(client, web, "i1", "10.0.0.1")
    assert values(ask("web.corp.internal")) == []
    eventually(lambda: values(ask("web.corp.internal")) == ["10.0.0.1"])


class TestHostedZones:
    @pytest.fixture
    def upsert(self, make_client: Callable[..., Any]) -> Callable[..., None]:
        route53 = make_client("route53")
        zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]

        def change(name: str, kind: str, *values: str, **more: Any) -> None:
            records = [{"Value": value} for value in values]
            record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": records, **more}
            batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

        return change

    def test_simple_records_are_answered_whole(self, upsert: Callable[..., None], ask: Ask) -> None:
        upsert("web.example.com", "A", "192.0.2.1", "192.0.2.2")
        assert verdict(ask("web.Example.com")) == ("NOERROR", ["192.0.2.1", "192.0.2.2"])
        assert ask("web.example.com").answer[0].ttl == 60
        assert verdict(ask("web.example.com", "AAAA")) == ("NOERROR", [])
        assert verdict(ask("none.example.com")) == ("NXDOMAIN", [])
        assert verdict(ask("www.example.org")) == ("REFUSED", [])

    def test_multivalue_records_are_answered_up_to_eight(self, upsert: Callable[..., None], ask: Ask) -> None:
        for number in range(12):
            more = {"SetIdentifier": f"s{number}", "MultiValueAnswer": True}
            upsert("web.example.com", "A", f"192.0.2.{number}", **more)
        assert len(values(ask("web.example.com"))) == 8

    def test_cname_srv_aaaa_and_wildcards_are_answered(self, upsert: Callable[..., None], ask: Ask) -> None:
        upsert("web.example.com", "AAAA", "2001:db8::1")
        upsert("www.example.com", "CNAME", "web.example.com")
        upsert("_web._tcp.example.com", "SRV", "1 1 80 web.example.com")
        upsert("*.any.example.com", "A", "192.0.2.9")
        assert values(ask("www.example.com", "AAAA")) == ["2001:db8::1", "web.example.com."]
        assert values(ask("_web._tcp.example.com", "SRV")) == ["1 1 80 web.example.com."]
        assert values(ask("x.any.example.com")) == ["192.0.2.9"]
        assert verdict(ask("_tcp.example.com")) == ("NOERROR", [])
