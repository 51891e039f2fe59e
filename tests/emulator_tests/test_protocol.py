import json
import socket
import threading
from typing import Any

import requests

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import discover

TARGET = "Route53AutoNaming_v20170314."


def post(aws: EmulatedAws, operation: str, body: str) -> requests.Response:
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.1"}
    return requests.post(f"{aws.endpoint_url}/", data=body, headers=headers, timeout=5)


def test_an_error_has_the_wire_shape_of_the_service(aws: EmulatedAws, web: str) -> None:
    body = {
        "Name": "web",
        "NamespaceId": next(iter(aws.state.registry("123456789012", "us-east-1").namespaces)),
    }
    answer = post(aws, "CreateService", json.dumps(body | {"Type": "HTTP"}))
    assert answer.status_code == 400
    assert answer.json()["__type"] == "ServiceAlreadyExists"
    assert answer.json()["ServiceId"] == web
    assert answer.json()["Message"]


def test_rubbish_is_answered_with_an_error(aws: EmulatedAws) -> None:
    assert post(aws, "ListServices", "{").json()["__type"] == "SerializationException"
    assert post(aws, "ListServices", "[]").json()["__type"] == "InvalidInput"
    assert post(aws, "Fly", "{}").json()["__type"] == "UnknownOperationException"
    assert post(aws, "GetService", "{}").json()["__type"] == "InvalidInput"
    assert post(aws, "GetService", '{"Id": 7}').json()["__type"] == "InvalidInput"


def test_one_connection_carries_many_requests(aws: EmulatedAws) -> None:
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}ListServices\r\nContent-Length: 2\r\n\r\n{{}}"
    )
    with socket.create_connection((str(aws.host), int(aws.port)), timeout=5) as connection:
        connection.sendall(head.encode() * 3)
        received = b""
        while received.count(b'{"Services":[]}') < 3:
            received += connection.recv(4096)
    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_a_chunked_body_is_read(aws: EmulatedAws) -> None:
    answer = requests.post(
        f"{aws.endpoint_url}/",
        data=iter([b"{", b"}"]),
        headers={"X-Amz-Target": f"{TARGET}ListServices"},
        timeout=5,
    )
    assert answer.json() == {"Services": []}


def test_many_connections_are_served_at_once(aws: EmulatedAws, client: Any, corp: str) -> None:
    aws.seed.bulk(corp, 20, 5)
    sizes: list[int] = []

    def work(number: int) -> None:
        sizes.extend(len(discover(client, f"svc-{number}")) for _ in range(5))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sizes == [5] * 100
