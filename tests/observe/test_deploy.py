"""What is shipped for Prometheus and Grafana speaks of metrics that exist, and works."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncer.core.errors import Denied
from syncer.core.plan import Register
from syncer.core.ports import Ending
from syncer.observe.metrics import PREFIX, Metrics
from tests.observe.scene import OUT, ended, held_plan, ours, passed

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
ALERT_TESTS = Path(__file__).with_name("alerts.test.yaml")
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
NAME = re.compile(rf"\b{PREFIX}_[a-z_]+")


@dataclass(frozen=True)
class Call:
    """A call as a system tells of it."""

    operation: str
    seconds: float
    error: str


@pytest.fixture(scope="module")
def promtool() -> str:
    """The path of a real promtool."""
    found = subprocess.run(
        [str(ROOT / "tools/promtool.sh")], check=True, timeout=110, capture_output=True, text=True
    )
    return found.stdout.strip()


def full_metrics() -> str:
    """Return a scrape in which every metric has a sample."""
    metrics = Metrics()
    metrics.passed(passed(held_plan("web", 12), full=True, owned=12, offered=1))
    metrics.passed(passed(held_plan("web", 12)))
    metrics.changed(ended(Register(ours("web", "i"))))
    metrics.changed(ended(Register(ours("web", "i")), Ending.FAILED, Denied("no", code="AccessDenied")))
    for error in ("", "ThrottlingException"):
        metrics.calls("cloudmap")(Call("RegisterInstance", 0.1, error))
    metrics.watch_age("consul/dc1", "wide", lambda: 1.0)
    metrics.leading("corp.internal", held=True)
    metrics.ready(lambda: True)
    return metrics.render()[1].decode()


def sample_names() -> set[str]:
    """Return the names of all samples of a scrape."""
    lines = full_metrics().splitlines()
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines if not line.startswith("#")}


def dashboard() -> Any:
    """Return the dashboard."""
    return json.loads(DASHBOARD.read_text())


def expressions() -> Iterator[str]:
    """Yield every expression of the dashboard, with its variables filled in."""
    board = dashboard()
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (annotation["expr"] for annotation in board["annotations"]["list"])


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def run(promtool: str, *words: str, text: str | None = None) -> str:
    """Run promtool; fail with its words where it fails."""
    done = subprocess.run(
        [promtool, *words], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_linter_of_prometheus_likes_every_metric(promtool: str) -> None:
    assert run(promtool, "check", "metrics", text=full_metrics()).strip() == ""


def test_every_metric_has_a_help_text_that_is_a_sentence() -> None:
    helps = re.findall(rf"^# HELP ({PREFIX}_(?!process_)\S+) (.+)$", full_metrics(), re.MULTILINE)
    assert len(helps) > 20
    for name, text in helps:
        assert text[0].isupper(), name
        assert text.endswith("."), name


def test_the_alert_rules_are_rules(promtool: str) -> None:
    run(promtool, "check", "rules", str(ALERTS))


def test_every_alert_fires_when_it_should_and_not_before(promtool: str) -> None:
    run(promtool, "test", "rules", str(ALERT_TESTS))


def test_no_alert_goes_without_a_test_for_firing_and_one_for_silence() -> None:
    story = yaml.safe_load(ALERT_TESTS.read_text())
    calm = {case["alertname"] for case in story["tests"][0]["alert_rule_test"]}
    fired = set(re.findall(r'alertname="(\w+)"', ALERT_TESTS.read_text()))
    names = {rule["alert"] for rule in rules()}
    assert calm == fired == names


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert len(rule["annotations"]["description"]) > 60


@pytest.mark.parametrize("path", [ALERTS, ALERT_TESTS, DASHBOARD], ids=lambda path: path.name)
def test_every_metric_that_is_named_exists(path: Path) -> None:
    named = set(NAME.findall(path.read_text()))
    assert len(named) > 10
    assert named - sample_names() == set()


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    ours_all = {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in sample_names() if "_process_" not in name
    }
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in NAME.findall(DASHBOARD.read_text())}
    assert ours_all - shown == set()


def test_every_expression_of_the_dashboard_can_be_evaluated(promtool: str, tmp_path: Path) -> None:
    filled = [
        text.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$route", OUT)
        for text in expressions()
    ]
    assert len(filled) > 20
    records = [{"record": f"check:{number}", "expr": text} for number, text in enumerate(filled)]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    run(promtool, "check", "rules", str(path))


def test_the_panels_do_not_lie_on_each_other_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


def test_the_dashboard_asks_the_data_source_that_is_chosen() -> None:
    sources = re.findall(r'"uid": "([^"]*)"', DASHBOARD.read_text())
    assert set(sources) == {"${datasource}", "consul-cloudmap-sync"}
