"""What the doctor makes of what it sees: tables of the seen, the state, and what the remedy must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import metadata
from typing import Any

import pytest

from deploy.cli.bench import percentile
from deploy.cli.checks.doors import (
    door_findings,
    quarantine_finding,
    silence_findings,
    spool_findings,
)
from deploy.cli.checks.finding import State
from deploy.cli.checks.kafka import lag_findings, retention_findings, topic_findings
from deploy.cli.checks.mongodb import directory_finding, schema_finding
from deploy.cli.checks.services import status_findings
from shared.bus.admin import TopicState
from shared.bus.condition import Lag
from shared.events.topics import ERASED, RECEIVED, TOPICS
from shared.settings import KafkaSettings
from shared.store.directory import Version
from shared.store.schema import SCHEMA, Schema
from tests.support.company import NOW, directory

WEEK_MS = 7 * 86_400_000
GIB = 1_073_741_824


def test_topics_that_are_missing_or_too_small_come_with_the_command() -> None:
    assert topic_findings([TopicState("a", 3, 3), TopicState("b", 3, 6)])[0].state is State.OK
    missing, small = topic_findings([TopicState("a", 3, 0), TopicState("b", 6, 3)])
    assert (missing.state, missing.remedy) == (State.WRONG, "listeningpost topics")
    assert small.remedy == "kafka-topics --alter --topic b --partitions 6"


@pytest.mark.parametrize(
    ("kept_ms", "state"),
    [(WEEK_MS, State.OK), (-1, State.WRONG), (2 * WEEK_MS, State.WRONG), (3_600_000, State.WARNING)],
)
def test_a_topic_keeps_as_long_as_declared(kept_ms: int, state: State) -> None:
    (found,) = retention_findings({RECEIVED.name: kept_ms}, KafkaSettings(topic_prefix="post."))
    assert found.state is state
    if state is not State.OK:
        assert f"--entity-name post.{RECEIVED.name} --add-config retention.ms={WEEK_MS}" in found.remedy


def test_every_topic_is_declared_within_what_erasure_promises() -> None:
    kept = {name: topic.retention_ms for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    assert {finding.state for finding in retention_findings(kept, KafkaSettings())} == {State.OK}
    of_people = [topic for topic in TOPICS if topic is not ERASED]
    assert {topic.retention_ms for topic in of_people} == {WEEK_MS}


def test_a_group_that_is_far_behind_or_never_read_is_said() -> None:
    near = Lag("t", "classifier", 2_000, is_known=True)
    assert [one.state for one in lag_findings([near])] == [State.OK]
    far, never = Lag("t", "classifier", 9_000, is_known=True), Lag("t", "notifier", 3, is_known=False)
    assert [one.state for one in lag_findings([near, far, never])] == [State.WARNING, State.WARNING]
    assert "has never read it" in lag_findings([never])[0].detail


@pytest.mark.parametrize(
    ("offset_s", "wrong"), [(0.0, False), (1.9, False), (-1.9, False), (2.5, True), (-9, True)]
)
def test_a_clock_that_is_off_is_said(offset_s: float, *, wrong: bool) -> None:
    between = (NOW, NOW + timedelta(milliseconds=30))
    theirs = NOW + timedelta(seconds=offset_s)
    found = status_findings("ingest", metadata.version("listeningpost"), theirs, between)
    assert bool(found) is wrong


def test_another_release_is_said() -> None:
    (found,) = status_findings("notifier", "0.0.1", NOW, (NOW, NOW))
    assert (found.about, found.state) == ("release", State.WRONG)
    assert "0.0.1" in found.detail


@pytest.mark.parametrize(
    ("share", "free_bytes", "states"),
    [
        (0.0, 9 * GIB, [State.OK]),
        (0.2, 9 * GIB, [State.WARNING]),
        (0.9, 9 * GIB, [State.WRONG]),
        (0.0, GIB // 2, [State.OK, State.WARNING]),
        (0.0, None, [State.OK]),
    ],
)
def test_a_spool_that_fills_and_a_disk_that_ends(
    share: float, free_bytes: int | None, states: list[State]
) -> None:
    spool = {
        "records": 3,
        "bytes": int(share * GIB),
        "quota_bytes": GIB,
        "oldest_s": 5.0,
        "free_disk_bytes": free_bytes,
    }
    assert [one.state for one in spool_findings(spool)] == states


def test_a_door_in_trouble_is_wrong_and_a_closed_one_is_not() -> None:
    mail = {"name": "mail", "open": True, "problem": "not listening"}
    slack = {"name": "slack", "open": False, "problem": "not configured"}
    rest = {"name": "rest", "open": True, "problem": None}
    wrong, rest_of_them = door_findings([mail, slack, rest])
    assert (wrong.state, wrong.detail) == (State.WRONG, "mail: not listening")
    assert (rest_of_them.state, rest_of_them.detail) == (State.OK, "open: rest; closed: slack")


@pytest.mark.parametrize(
    ("today", "before", "state"),
    [(0, 0, State.OK), (150, 0, State.OK), (900, 5_000, State.OK), (900, 70, State.WARNING)],
)
def test_quarantine_that_grows_is_said(today: int, before: int, state: State) -> None:
    assert quarantine_finding(today, before).state is state


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.9, 90), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentiles_are_values_that_were_measured(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_of_one_value_every_percentile_is_that() -> None:
    assert [percentile([7.0], share) for share in (0.5, 0.99, 1.0)] == [7.0, 7.0, 7.0]


def test_who_is_silent_is_a_warning_that_says_how_long_is_usual() -> None:
    sources: list[Mapping[str, Any]] = [
        {"channel": "slack", "source": "T0ACME", "silent_s": 7_300.0, "limit_s": 960.0, "is_silent": True},
        {"channel": "mail", "source": "mail", "silent_s": 10.0, "limit_s": None, "is_silent": False},
    ]
    (found,) = silence_findings(sources)
    assert found.state is State.WARNING
    assert found.detail == "slack T0ACME: nothing for 2 h; up to 16 min is usual at this hour"
    assert "listeningpost channels" in found.remedy


@pytest.mark.parametrize(
    ("number", "state", "says"),
    [
        (0, State.WRONG, "start any service"),
        (SCHEMA, State.OK, ""),
        (SCHEMA + 1, State.WARNING, "go on with that release"),
        (SCHEMA + 2, State.WRONG, "only a backup of the older release"),
    ],
)
def test_a_database_of_another_release_comes_with_what_to_do(number: int, state: State, says: str) -> None:
    finding = schema_finding(Schema(number, "9.0"))
    assert finding.state is state
    assert says in finding.remedy
    assert number in {0, SCHEMA} or f"{number} of release 9.0, " in finding.detail


def test_what_only_a_newer_release_knows_of_the_directory_is_named() -> None:
    known = Version(3, "mara", NOW, directory().workspace)
    assert directory_finding(known).state is State.OK
    finding = directory_finding(replace(known, passed_over=("receivers/1/kind", "moon")))
    assert finding.state is State.WARNING
    assert "receivers/1/kind, moon" in finding.detail
    assert "newer release" in finding.remedy
