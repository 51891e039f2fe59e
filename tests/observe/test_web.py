"""The web server answers what it should, refuses the rest, and leaves when told."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from typing_extensions import override

from syncer.observe.health import Health
from syncer.observe.snapshot import Status
from syncer.observe.web import WebServer, make_app
from tests.observe.busy import HOSTILE, Site, busy_site, hostile_site
from tests.observe.scene import Scene
from tests.support.wait import eventually

Serve = Callable[[Site], Site]


def ask(site: Site, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    """Ask the site, and return the answer with its body."""
    connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=60)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/?q=web&page=2", "text/html"),
        ("/status.json", "application/json"),
        ("/metrics", "text/plain"),
        ("/healthz", "application/json"),
        ("/readyz", "application/json"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_each_address_answers_get_and_head_alike(serve: Serve, path: str, kind: str) -> None:
    site = serve(busy_site())
    answer, body = ask(site, path)
    assert (answer.status, answer.getheader("Content-Type", "").split(";")[0]) == (200, kind)
    assert int(answer.getheader("Content-Length", "")) == len(body) > 0
    head, nothing = ask(site, path, "HEAD")
    assert (head.status, nothing) == (200, b"")
    assert head.getheader("Content-Type") == answer.getheader("Content-Type")


@pytest.mark.parametrize(
    "path", ["/nothing", "/page/page.html", "/../syncer/__init__.py", "/%2e%2e/x", "/metrics/"]
)
def test_everything_else_is_not_found(serve: Serve, path: str) -> None:
    answer, _ = ask(serve(busy_site()), path)
    assert answer.status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_can_be_changed(serve: Serve, method: str) -> None:
    answer, _ = ask(serve(busy_site()), "/", method)
    assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/nothing"])
def test_every_answer_carries_the_security_headers(serve: Serve, path: str) -> None:
    answer, _ = ask(serve(busy_site()), path)
    policy = answer.getheader("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Referrer-Policy") == "no-referrer"
    assert answer.getheader("Cache-Control") == "no-store"
    assert answer.getheader("Server") is None


def test_who_is_not_ready_says_why(serve: Serve) -> None:
    scene = Scene()
    scene.cloudmap.ready = False
    answer, body = ask(serve(Site(scene)), "/readyz")
    said = json.loads(body)
    assert (answer.status, said["ready"]) == (503, False)
    assert "corp.internal was not read completely yet" in said["problems"][0]


def test_who_is_not_ready_is_alive_all_the_same(serve: Serve) -> None:
    scene = Scene()
    scene.out.last_pass = None
    site = serve(Site(scene))
    assert ask(site, "/readyz")[0].status == 503
    assert ask(site, "/healthz")[0].status == 200
    assert b"Not ready" in ask(site, "/")[1]


def test_a_process_whose_threads_ended_is_not_alive(serve: Serve) -> None:
    site = Site(Scene())
    health = Health(site.scene.watched, stale_after=60, threads=lambda: {"agenda": False})
    site.server = WebServer(make_app(metrics=site.metrics, status=site.status, health=health), port=0)
    answer, body = ask(serve(site), "/healthz")
    assert answer.status == 503
    assert json.loads(body) == {"alive": False, "problems": ["thread agenda has ended"]}


def test_an_answer_that_fails_shows_nothing_of_its_insides(serve: Serve) -> None:
    def broken() -> list[object]:
        raise RuntimeError("secret inside")

    site = Site(Scene())
    status = Status(site.store, broken, site.health)  # type: ignore[arg-type] # it never returns
    site.server = WebServer(make_app(metrics=site.metrics, status=status, health=site.health), port=0)
    answer, body = ask(serve(site), "/status.json")
    assert answer.status == 500
    assert b"secret" not in body
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert ask(site, "/healthz")[0].status == 200


class Tags(HTMLParser):
    """Gathers the elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def sources(self, wanted: str) -> set[str]:
        """Return what elements of the kind *wanted* load."""
        return {
            attributes.get("src", "inline").split("?")[0] for tag, attributes in self.tags if tag == wanted
        }


def parsed(body: bytes) -> Tags:
    """Parse a page."""
    tags = Tags()
    tags.feed(body.decode())
    return tags


@pytest.mark.parametrize(
    "path", ["/", "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&limit=100&route=%22onclick=x"]
)
def test_what_a_registry_or_an_address_says_is_text_and_never_markup(serve: Serve, path: str) -> None:
    _, body = ask(serve(hostile_site()), path)
    page = parsed(body)
    assert page.sources("script") == {"page.js"}
    assert page.sources("img") == {"icon.svg"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert not attributes.get("href", "").startswith("javascript:")


def test_what_is_hostile_is_shown_all_the_same(serve: Serve) -> None:
    _, body = ask(serve(hostile_site()), "/")
    assert "".join(parsed(body).text).count(HOSTILE) >= 12


def test_the_page_loads_nothing_from_elsewhere(serve: Serve) -> None:
    _, body = ask(serve(busy_site()), "/")
    for _, attributes in parsed(body).tags:
        for name in ("src", "href", "action"):
            assert "//" not in attributes.get(name, "")


def test_every_thing_that_can_be_filled_in_has_a_label_and_every_picture_a_text(serve: Serve) -> None:
    _, body = ask(serve(busy_site()), "/")
    tags = parsed(body).tags
    assert sum(tag == "label" for tag, _ in tags) == sum(tag in {"input", "select"} for tag, _ in tags) == 3
    assert all("alt" in attributes for tag, attributes in tags if tag == "img")
    assert all(
        attributes.get("aria-label")
        for tag, attributes in tags
        if tag == "button" and "data-copy" in attributes
    )
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_of_an_advice_only_the_line_for_the_settings_can_be_copied(serve: Serve) -> None:
    page = parsed(ask(serve(busy_site()), "/")[1])
    copied = {attributes.get("data-copy") for _, attributes in page.tags}
    assert "rename: {'old_api$': 'old-api'}" in copied
    assert not any(text and "delete the service" in text for text in copied)
    shown = " ".join("".join(page.text).split())
    assert "To carry it: write rename: {'old_api$': 'old-api'}" in shown
    assert "To carry it: delete the service there" in shown


def test_a_site_in_step_says_so_calmly(serve: Serve) -> None:
    site = Site(Scene())
    body = ask(serve(site), "/")[1].decode()
    assert "In step" in body
    assert "Nothing needs attention" in body
    assert "Nothing is carried yet" in body


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = WebServer(lambda _, __: [], port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            server.start()
        server.stop()


def test_it_stops_at_once_and_gives_the_port_back() -> None:
    site = busy_site()
    site.server.start()
    port = site.server.port
    waiting = socket.create_connection(("127.0.0.1", port))
    began = time.monotonic()
    site.server.stop()
    site.server.stop()
    assert time.monotonic() - began < 30
    waiting.close()
    eventually(lambda: not [it for it in threading.enumerate() if it.name == "web"], 60, "its thread ends")
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_the_address_of_all_takes_ipv4_as_well_where_the_system_can() -> None:
    site = busy_site()
    app = make_app(metrics=site.metrics, status=site.status, health=site.health)
    server = WebServer(app, address="::" if socket.has_dualstack_ipv6() else "0.0.0.0", port=0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    server.stop()
