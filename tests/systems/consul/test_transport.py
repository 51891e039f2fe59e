import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncer.core.errors import Denied, Garbled, Missing, Refused, SyncError, Throttled, Unavailable
from syncer.systems.consul.answers import decode_entries, decode_names
from syncer.systems.consul.call import Call, Cut, segment
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.endpoint import Endpoint, Tls
from syncer.systems.consul.transport import Transport
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

SERVICES = "/v1/catalog/services"


def transport(url: str, **options: Any) -> Transport:
    token = options.pop("token", "")
    scope = {key: options.pop(key) for key in ("datacenter", "namespace", "partition") if key in options}
    return Transport(Endpoint.at(url, token=token, **scope), **options)


class WrongServer:
    """A server that sends what it is told to, byte for byte, and remembers what it was asked."""

    def __init__(self, answer: bytes, *, drip: float = 0) -> None:
        self.asked: list[bytes] = []
        self._answer = answer
        self._drip = drip
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    self.asked.append(connection.recv(65536))
                    for byte in self._answer if self._drip else ():
                        connection.sendall(bytes([byte]))
                        time.sleep(self._drip)
                    if not self._drip:
                        connection.sendall(self._answer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(60)


@pytest.fixture
def wrong() -> Iterator[Callable[..., WrongServer]]:
    servers: list[WrongServer] = []

    def start(answer: bytes, *, drip: float = 0) -> WrongServer:
        servers.append(WrongServer(answer, drip=drip))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def http(
    body: bytes, status: str = "200 OK", *, kind: str = "application/json", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nX-Consul-Index: 7\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def test_headers_are_kept_and_the_index_is_a_number(agent: ConsulAgent) -> None:
    answer = transport(agent.http_url).fetch(SERVICES, decode_names)
    assert answer.value is not None
    assert "consul" in answer.value
    assert answer.index > 0
    assert answer.known_leader
    assert not answer.filtered
    assert answer.last_contact == 0


def test_a_connection_is_used_again(agent: ConsulAgent) -> None:
    used = transport(agent.http_url, connections=1)
    for _ in range(20):
        used.fetch(SERVICES, decode_names)
    assert used._pool.num_connections == 1  # noqa: SLF001 - the pool is the only witness


def test_calls_wait_for_one_of_a_bounded_number_of_connections(agent: ConsulAgent) -> None:
    used = transport(agent.http_url, connections=2)
    threads = [threading.Thread(target=used.fetch, args=(SERVICES, decode_names)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert used._pool.num_connections <= 2  # noqa: SLF001 - the pool is the only witness


def test_the_librarys_api_works_on_our_transport(client: ConsulClient) -> None:
    assert client.agent.self()["Config"]["Datacenter"] == "dc1"
    assert client.kv.put("a/key with space", "value")
    index, item = client.kv.get("a/key with space")
    assert item["Value"] == b"value"
    assert client.kv.get("no such key")[1] is None
    session = client.session.create(ttl=10, behavior="delete")
    assert client.session.destroy(session)
    assert client.kv.delete("a/key with space")
    assert int(index) > 0


@pytest.mark.parametrize("name", ["a/b", "with space", "ünïcode", "50%", "q?x=1#y", "a+b&c"])
def test_any_service_name_can_be_asked_for(agent: ConsulAgent, client: ConsulClient, name: str) -> None:
    agent.register(name, f"id-{name}", "10.0.0.1", 80)
    answer = client.http.fetch(f"/v1/health/service/{segment(name)}", decode_entries)
    assert [entry.Service.Service for entry in answer.value or ()] == [name]
    agent.deregister(f"id-{name}")


def test_settings_decide_and_not_the_environment(agent: ConsulAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "this is no address")
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "a-token-from-elsewhere")
    monkeypatch.setenv("CONSUL_HTTP_SSL", "true")
    monkeypatch.setenv("CONSUL_HTTP_SSL_VERIFY", "false")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    endpoint = Endpoint.at(agent.http_url)
    assert ConsulClient(endpoint, Transport(endpoint)).agent.self()["Config"]["Datacenter"] == "dc1"


def test_the_token_travels_in_a_header_only(wrong: Callable[..., WrongServer]) -> None:
    server = wrong(http(b"{}"))
    endpoint = Endpoint.at(server.url, token="very-secret")
    ConsulClient(endpoint, Transport(endpoint)).catalog.services()
    request = server.asked[0].decode()
    assert "very-secret" not in request.split("\r\n")[0]
    assert "x-consul-token: very-secret" in request.lower()
    assert "very-secret" not in repr(endpoint)


def test_every_request_carries_datacenter_namespace_and_partition(wrong: Callable[..., WrongServer]) -> None:
    server = wrong(http(b"{}"))
    endpoint = Endpoint.at(server.url, datacenter="dc 2", namespace="team", partition="blue")
    client = ConsulClient(endpoint, Transport(endpoint))
    client.http.fetch(SERVICES, decode_names, {"index": "7"})
    client.catalog.services()
    assert server.asked[0].startswith(b"GET /v1/catalog/services?index=7&dc=dc+2&ns=team&partition=blue ")
    assert server.asked[1].split(b" ")[1].count(b"dc=") == 1


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        pytest.param(http(b'{"a": [}'), Garbled, "answer", id="broken-json"),
        pytest.param(http(b'["a"]'), Garbled, "answer", id="another-type"),
        pytest.param(http(b""), Garbled, "answer", id="nothing"),
        pytest.param(http(b"<html>", kind="text/html"), Garbled, "content-type", id="a-web-page"),
        pytest.param(http(b'{"a": []}', length=4000), Garbled, "truncated", id="cut-short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
            Garbled,
            "truncated",
            id="cut-short-in-a-chunk",
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", Garbled, "protocol", id="no-http"),
        pytest.param(b"", Unavailable, "connection", id="hung-up"),
        pytest.param(http(b"No cluster leader", "500 E"), Unavailable, "500", id="no-leader"),
        pytest.param(http(b"rpc error", "500 E"), Unavailable, "500", id="unknown-fault"),
        pytest.param(http(b"Permission denied", "403 E"), Denied, "403", id="denied"),
        pytest.param(http(b"rpc: Permission denied", "500 E"), Denied, "500", id="denied-by-the-server"),
        pytest.param(http(b"rate limit exceeded", "429 E"), Throttled, "429", id="throttled"),
        pytest.param(http(b"rate limit exceeded", "503 E"), Throttled, "503", id="throttled-by-the-leader"),
        pytest.param(http(b"", "503 E"), Unavailable, "503", id="away"),
        pytest.param(http(b"", "502 E"), Unavailable, "502", id="a-proxy-without-consul"),
        pytest.param(http(b"", "302 E"), Unavailable, "302", id="redirected"),
        pytest.param(http(b"bad", "400 E"), Refused, "400", id="refused"),
        pytest.param(http(b"bad", "409 E"), Refused, "409", id="rolled-back"),
        pytest.param(http(b"big", "413 E"), Refused, "413", id="too-large"),
        pytest.param(http(b"no", "404 E"), Missing, "404", id="not-found"),
        pytest.param(http(b"Unknown service", "500 E"), Missing, "500", id="unknown-service"),
        pytest.param(http(b"Invalid Service Meta", "500 E"), Refused, "500", id="invalid"),
    ],
)
def test_every_fault_has_its_error(
    wrong: Callable[..., WrongServer], answer: bytes, error: type[SyncError], code: str
) -> None:
    with pytest.raises(SyncError) as caught:
        transport(wrong(answer).url).fetch(SERVICES, decode_names)
    assert (type(caught.value), caught.value.code) == (error, code)


def test_the_library_gets_the_same_errors(wrong: Callable[..., WrongServer]) -> None:
    endpoint = Endpoint.at(wrong(http(b"[")).url)
    with pytest.raises(Garbled):
        ConsulClient(endpoint, Transport(endpoint)).agent.self()


def test_an_agent_that_hangs_is_given_up_in_time(agent: ConsulAgent) -> None:
    calls: list[Call] = []
    used = transport(agent.http_url, read_timeout=0.3, on_call=calls.append)
    used.fetch(SERVICES, decode_names)
    agent.pause()
    time.sleep(0.1)  # a signal takes its time
    try:
        with pytest.raises(Unavailable) as caught:
            used.fetch(SERVICES, decode_names)
    finally:
        agent.resume()
    assert caught.value.code == "timeout"
    assert [(call.operation, call.error) for call in calls] == [
        ("GET catalog/services", ""),
        ("GET catalog/services", "timeout"),
    ]
    used.read_timeout = 10
    assert used.fetch(SERVICES, decode_names).value


def test_a_server_that_drips_is_given_up_in_time(wrong: Callable[..., WrongServer]) -> None:
    server = wrong(http(b" " * 500 + b"{}"), drip=0.01)
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        transport(server.url, connect_timeout=0.2, read_timeout=0.6).fetch(SERVICES, decode_names)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 15


def test_nobody_there_is_unavailable_and_coming_back_is_noticed() -> None:
    with ConsulAgent() as agent:
        used = transport(agent.http_url)
        used.fetch(SERVICES, decode_names)
        agent.kill()
        with pytest.raises(Unavailable):
            used.fetch(SERVICES, decode_names)
        agent.start()
        assert used.fetch(SERVICES, decode_names).value


def test_a_blocked_query_is_cut_from_another_thread(agent: ConsulAgent) -> None:
    used = transport(agent.http_url, connections=1)
    index = used.fetch(SERVICES, decode_names).index
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            while True:
                nonlocal index
                answer = used.fetch(
                    SERVICES,
                    decode_names,
                    {"index": str(index), "wait": "60s"},
                    read_timeout=70,
                    blocking=True,
                )
                index = answer.index
        except Cut as e:
            ended.append(e)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    used.cut()
    thread.join(60)
    assert not thread.is_alive()
    assert ended
    with pytest.raises(Cut):
        used.fetch(SERVICES, decode_names)


def test_tls_with_our_certificate_and_the_servers_name() -> None:
    config = {"verify_incoming_https": True}
    with ConsulAgent(tls=True, config=config) as agent:
        url, ca = agent.https_url, str(agent.ca_file)
        ours = Tls(ca_file=ca, cert_file=str(agent.client_cert), key_file=str(agent.client_key))

        def names(tls: Tls) -> object:
            return Transport(Endpoint.at(url, tls=tls), read_timeout=5).fetch(SERVICES, decode_names).value

        assert names(ours)
        assert names(replace(ours, server_name="server.dc1.consul"))
        assert names(replace(ours, ca_file=None, verify=False))
        for wrong_tls in (
            replace(ours, server_name="other.example.com"),
            replace(ours, ca_file=None),
            Tls(ca_file=ca),
        ):
            with pytest.raises(Unavailable):
                names(wrong_tls)
        used = Transport(Endpoint.at(url, tls=ours), connections=1)
        index = used.fetch(SERVICES, decode_names).index
        params = {"index": str(index), "wait": "60s"}
        ended = threading.Event()

        def wait() -> None:
            with contextlib.suppress(Cut):
                while True:
                    used.fetch(SERVICES, decode_names, params, read_timeout=70)
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        time.sleep(0.2)
        used.cut()
        eventually(ended.is_set, 60, "the query over TLS is cut")


@pytest.mark.parametrize(
    ("url", "host", "port", "scheme"),
    [
        ("http://localhost:8500", "localhost", 8500, "http"),
        ("https://consul.example.com", "consul.example.com", 8501, "https"),
        ("http://[::1]:80", "::1", 80, "http"),
    ],
)
def test_an_endpoint_is_written_as_a_url(url: str, host: str, port: int, scheme: str) -> None:
    endpoint = Endpoint.at(url)
    assert (endpoint.host, endpoint.port, endpoint.scheme) == (host, port, scheme)


def test_a_registry_is_named_after_what_it_is_scoped_to() -> None:
    assert Endpoint().registry_id("dc1") == "consul/dc1"
    assert Endpoint(namespace="team").registry_id("dc1") == "consul/dc1/default/team"
    assert Endpoint(partition="blue").registry_id("dc1") == "consul/dc1/blue/default"
