"""Rules, dashboards and runbooks belong together: what one names, the other has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.config import dashboards, metrics_page, slos
from shared.telemetry.metrics import GROUPS
from tests.support.tree import ROOT, modules

_FOLDER = ROOT / "deploy" / "prometheus"
_RUNBOOKS = ROOT / "docs" / "runbooks"
_RULE_FILES = sorted((_FOLDER / "rules").glob("*.yml"))
_RULES: list[dict[str, Any]] = [
    rule
    for file in _RULE_FILES
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
_ALERTS = [rule for rule in _RULES if "alert" in rule]
_RECORDED = {rule["record"] for rule in _RULES if "record" in rule}
_SERIES = {name for group in GROUPS.values() for metric in group for name in metrics_page.names(metric)}
_NAMED = re.compile(r"\blisteningpost[a-zA-Z0-9_:]+")
_LOOKED_FOR = re.compile(r"grep (?:-E )?'?([a-z_|]+)")
_COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def unknown(text: str) -> set[str]:
    return set(_NAMED.findall(text)) - _SERIES - _RECORDED


@pytest.mark.parametrize("rule", _RULES, ids=lambda rule: rule.get("alert", rule.get("record")))
def test_what_a_rule_names_is_measured(rule: dict[str, Any]) -> None:
    assert not unknown(rule["expr"])


@pytest.mark.parametrize("name", sorted(dashboards.declared()))
def test_a_dashboard_is_that_of_its_declaration_and_shows_what_is_measured(name: str) -> None:
    file = ROOT / "deploy" / "grafana" / "dashboards" / f"{name}.json"
    text = file.read_text(encoding="utf-8")
    assert text == dashboards.render(name), f"write it anew: python -m deploy.config.dashboards {name}"
    queries = [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    assert queries
    assert not {name for query in queries for name in unknown(query)}


def test_no_dashboard_is_left_over() -> None:
    files = {file.stem for file in (ROOT / "deploy" / "grafana" / "dashboards").iterdir()}
    assert files == set(dashboards.declared())


def test_the_objectives_are_those_of_the_list() -> None:
    written = (_FOLDER / "rules" / "slos.yml").read_text(encoding="utf-8")
    assert slos.render() == written, "write it anew: python -m deploy.config.slos"


@pytest.mark.parametrize(
    "alert", _ALERTS, ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}"
)
def test_an_alert_says_how_bad_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    assert (ROOT / alert["annotations"]["runbook_url"]).is_file()


def test_every_runbook_has_its_alert_and_is_listed() -> None:
    pages = {page.stem for page in _RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == {alert["alert"] for alert in _ALERTS}
    listed = re.findall(r"\]\((\w+)\.md\)", (_RUNBOOKS / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize("page", sorted(_RUNBOOKS.glob("[A-Z]*[a-z].md")), ids=lambda page: page.stem)
def test_a_runbook_says_what_to_see_and_do_and_when_to_call_somebody(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [*re.findall(r"^## (.+)$", text, re.MULTILINE)] == ["See", "Do", "Escalate"]
    assert "**What people notice.**" in text
    (commands,) = _COMMANDS.findall(text)
    assert not unknown(commands.replace("listeningpost ", ""))


def test_what_a_runbook_looks_for_in_a_log_is_logged() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in _RUNBOOKS.glob("*.md"))
    wanted = {event for found in _LOOKED_FOR.findall(pages) for event in found.split("|")}
    assert "delivery_ended" in wanted
    code = "".join((ROOT / path).read_text(encoding="utf-8") for path in modules("services", "shared"))
    assert not {event for event in wanted if f'"{event}"' not in code}


def test_every_alert_is_provoked_by_the_tests_of_the_rules() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in (_FOLDER / "tests").glob("*.yml"))
    assert not {alert["alert"] for alert in _ALERTS if alert["alert"] not in tests}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("promtool")
    if command is None:
        pytest.skip("there is no promtool here; on Debian: apt-get install prometheus")
    return subprocess.run(
        [command, *arguments], cwd=_FOLDER / "tests", capture_output=True, encoding="utf-8", check=False
    )


def test_prometheus_takes_configuration_and_rules() -> None:
    checked = promtool("check", "config", "../prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout


def test_alerts_come_when_they_should() -> None:
    tests = sorted(file.name for file in (_FOLDER / "tests").glob("*.yml"))
    assert tests
    ended = promtool("test", "rules", *tests)
    assert ended.returncode == 0, ended.stdout + ended.stderr
