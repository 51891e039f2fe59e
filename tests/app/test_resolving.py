"""Asking DNS: answers, and every way of having none, are values; nothing raises."""

import socket
import threading

import dns.message
import dns.rrset

from syncer.app.resolving import Answer, addresses, ask, ask_service
from tests.e2e.world import NAMESPACE, World


def test_addresses_come_sorted_with_ttl_and_time(world: World) -> None:
    world.cloud.put("web", "w2", "10.1.0.2")
    world.cloud.put("web", "w1", "10.1.0.1")
    (answer,) = ask(f"web.{NAMESPACE}", "A", world.aws.dns_address)
    assert answer.values == ("10.1.0.1", "10.1.0.2")
    assert (answer.record, answer.ttl, answer.problem) == ("A", 15, "")
    assert answer.milliseconds > 0


def test_a_question_for_a_asks_for_aaaa_too(world: World) -> None:
    service = world.aws.seed.service(NAMESPACE, "both", records={"A": 15, "AAAA": 15})
    attributes = {"AWS_INSTANCE_IPV4": "10.1.0.3", "AWS_INSTANCE_IPV6": "fd00::3"}
    world.aws.seed.instance(service, "b1", attributes)
    answers = ask(f"both.{NAMESPACE}", "A", world.aws.dns_address)
    assert [(answer.record, answer.values) for answer in answers] == [
        ("A", ("10.1.0.3",)),
        ("AAAA", ("fd00::3",)),
    ]


def test_service_records_can_be_asked_for(world: World) -> None:
    world.consul.register("srv", "s1", "10.0.0.1", 8080)
    (answer,) = ask("_srv._tcp.service.consul", "SRV", world.consul.dns_addr)
    assert answer.values[0].startswith("1 1 8080 ")


def test_all_addresses_are_found_though_consul_gives_three_of_them_over_udp(world: World) -> None:
    for number in range(1, 10):
        world.consul.register("many", f"m{number}", f"10.0.0.{number}", 8080)
    (answer,) = ask("many.service.consul", "A", world.consul.dns_addr)
    assert answer.values == tuple(f"10.0.0.{number}" for number in range(1, 10))


def test_where_only_udp_answers_that_is_the_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            question, client = server.recvfrom(512)
            response = dns.message.make_response(dns.message.from_wire(question))
            said = (f"1 1 80 {name}.a." for name in "abc")
            response.answer = [dns.rrset.from_text("web.a.", 5, "IN", "SRV", *said)]
            server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=answer)
        thread.start()
        (found,) = ask("web.a", "SRV", server.getsockname())
        thread.join()
    assert found.values == ("1 1 80 a.a.", "1 1 80 b.a.", "1 1 80 c.a.")


def test_a_name_that_is_not_there_is_told_from_one_without_the_record(world: World) -> None:
    service = world.aws.seed.service(NAMESPACE, "silent", records={"SRV": 15})
    world.aws.seed.instance(service, "s1", {"AWS_INSTANCE_IPV4": "10.1.0.4", "AWS_INSTANCE_PORT": "80"})
    (missing,) = ask(f"nobody.{NAMESPACE}", "A", world.aws.dns_address)
    (silent,) = ask(f"silent.{NAMESPACE}", "A", world.aws.dns_address)
    assert (missing.values, missing.problem, missing.failed) == ((), "no such name", False)
    assert (silent.values, silent.problem, silent.failed) == ((), "no A record", False)


def test_a_server_that_refuses_is_a_problem_and_not_an_error(world: World) -> None:
    (answer,) = ask("web.somewhere.example", "A", world.aws.dns_address)
    assert answer.values == ()
    assert answer.problem
    assert answer.failed


def test_a_server_that_does_not_answer_is_not_waited_for(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        (answer,) = ask("web.corp.internal", "CNAME", deaf.getsockname())
    assert (answer.problem, answer.failed) == ("no answer in 3 s", True)


def test_the_system_resolver_is_asked_where_no_server_is_named() -> None:
    done: list[tuple[Answer, ...]] = []
    thread = threading.Thread(target=lambda: done.append(ask("syncer-test.invalid", "A", None)))
    thread.start()
    thread.join(60)
    assert done
    assert done[0][0].values == ()


def test_behind_service_records_the_addresses_of_their_targets_are_found(world: World) -> None:
    service = world.aws.seed.service(NAMESPACE, "targets", records={"SRV": 15})
    for number in (2, 1):
        attributes = {"AWS_INSTANCE_IPV4": f"10.1.0.{number}", "AWS_INSTANCE_PORT": "80"}
        world.aws.seed.instance(service, f"t{number}", attributes)
    found = ask_service(f"targets.{NAMESPACE}", world.aws.dns_address)
    assert [answer.record for answer in found] == ["SRV", "A", "A"]
    assert addresses(found) == {"10.1.0.1", "10.1.0.2"}
    assert [answer.record for answer in ask_service(f"nobody.{NAMESPACE}", world.aws.dns_address)] == ["SRV"]
