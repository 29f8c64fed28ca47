"""How much a speaker's voice counts."""

from __future__ import annotations

import pytest

from shared.domain.weight import weigh
from shared.events.feedback import Mode, Speaker, Weight
from tests.support.company import directory

SEGMENTS: list[dict[str, object]] = [
    {"id": "target", "name": "Target market", "fit": 1.5, "weight": 2.0},
    {"id": "average", "name": "Average"},
]
PERSONAS = [{"id": "boss", "name": "Boss", "weight": 1.2}]
DIRECTORY = directory(segments=SEGMENTS, personas=PERSONAS, accounts=[])


def somebody(segment: str | None = None, persona: str | None = None) -> Speaker:
    return Speaker(person_id="x", segment=segment, persona=persona)


@pytest.mark.parametrize(
    ("speaker", "value", "known"),
    [
        (somebody("target", "boss"), 3.6, True),
        (somebody("target"), 3.0, True),
        (somebody(None, "boss"), 1.2, True),
        (somebody("average"), 1.0, True),
        (somebody(), 1.0, False),
        (somebody("gone", "gone"), 1.0, False),
    ],
)
def test_weight(speaker: Speaker, value: float, known: bool) -> None:  # noqa: FBT001 - a column
    weight = weigh(speaker, None, DIRECTORY)
    assert weight.value == pytest.approx(value)
    assert weight.known is known


def test_the_parts_are_shown_and_multiply() -> None:
    weight = weigh(somebody("target", "boss"), None, DIRECTORY)
    assert weight.parts == {"segment_fit": 1.5, "segment_weight": 2.0, "persona_weight": 1.2}


def test_who_is_spoken_for_counts_not_who_reports_it() -> None:
    weight = weigh(somebody("average"), somebody("target"), DIRECTORY)
    assert weight.value == pytest.approx(3.0)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.IMPORT, Mode.BACKFILL])
def test_what_is_old_weighs_as_much(mode: Mode) -> None:
    assert weigh(somebody("target"), None, DIRECTORY, mode).value == pytest.approx(3.0)


def test_a_test_weighs_as_unknown_whoever_it_is_from() -> None:
    assert weigh(somebody("target", "boss"), None, DIRECTORY, Mode.TEST) == Weight(value=1.0, known=False)


def test_the_segment_of_an_account_comes_from_its_rules_where_the_speaker_has_none() -> None:
    ruled = [SEGMENTS[0] | {"rules": [{"tiers": ["gold"]}]}]
    known = directory(segments=ruled, accounts=[{"id": "acme", "name": "Acme", "tier": "gold"}])
    weight = weigh(Speaker(person_id="x", account="acme"), None, known)
    assert (weight.value, weight.known) == (3.0, True)
