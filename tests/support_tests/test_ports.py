"""Free ports are free, and given once."""

import socket

from tests.support.ports import free_port, free_ports, ours


def test_a_given_port_can_be_bound_for_tcp_and_udp() -> None:
    port = free_port()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.1", port))


def test_no_port_is_given_twice() -> None:
    ports = free_ports(20) + free_ports(20)
    assert len(set(ports)) == 40


def test_the_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(port < 32_768 for port in free_ports(20))


def test_tests_in_several_processes_have_ports_of_their_own() -> None:
    workers = [
        set(ours({"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": "3"}))
        for number in range(3)
    ]
    assert set.union(*workers) == set(ours({}))
    assert sum(map(len, workers)) == len(ours({}))
    after_a_crash = ours({"PYTEST_XDIST_WORKER": "gw5", "PYTEST_XDIST_WORKER_COUNT": "3"})
    assert set(after_a_crash) == workers[2]
