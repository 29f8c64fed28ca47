"""Ratings on their scale; yes and no."""

from __future__ import annotations

import pytest

from deploy.cli.importing.record import Refused
from deploy.cli.importing.values import Scale, rating_of, scale_of, scale_said, yes_or_no
from deploy.cli.output import Failed

STARS = Scale(1, 5, "stars")


@pytest.mark.parametrize(
    ("name", "values", "scale"),
    [
        ("NPS", ["0", "10", "7"], Scale(0, 10, "nps")),
        ("How likely are you to recommend us?", ["3", "9"], Scale(0, 10, "nps")),
        ("Weiterempfehlung", ["3", "9"], Scale(0, 10, "nps")),
        ("csat", ["1", "5"], Scale(1, 5, "csat")),
        ("Zufriedenheit", ["2", "5"], Scale(1, 5, "csat")),
        ("rating", ["4,5", "1"], Scale(1, 5, "stars")),
        ("stars", ["★★★", "★☆"], Scale(1, 5, "stars")),
        ("rating", ["0", "5"], Scale(0, 5, "stars")),
        ("score", ["8", "3"], Scale(0, 10, "score")),
        ("score", ["80", "3"], Scale(0, 100, "score")),
        ("score", ["4/5", "3/5"], Scale(1, 5, "stars")),
        ("score", ["2026", "3"], None),
        ("score", ["good"], None),
        ("score", ["-1", "3"], None),
    ],
)
def test_a_scale_is_told_by_name_and_range(name: str, values: list[str], scale: Scale | None) -> None:
    assert scale_of(name, values) == scale


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 4), ("4,5", 4.5), ("4 / 5", 4), ("4 of 5", 4), ("★★★★", 4), ("5 stars", 5), ("1 - very bad", 1)],
)
def test_a_rating_is_read(text: str, value: float) -> None:
    assert rating_of(text, STARS) == {"value": value, "min": 1, "max": 5, "kind": "stars"}


@pytest.mark.parametrize("text", ["6", "0", "good", "4-5", "7/5"])
def test_a_rating_that_is_none_or_off_the_scale_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        rating_of(text, STARS)


def test_a_scale_can_be_said() -> None:
    assert scale_said("0-10") == Scale(0, 10, "score")
    assert scale_said("1-5:csat") == Scale(1, 5, "csat")
    for wrong in ("5", "5-1", "a-b"):
        with pytest.raises(Failed):
            scale_said(wrong)


@pytest.mark.parametrize(
    ("text", "yes"), [("Ja", True), ("oui", True), ("sí", True), ("1", True), ("No", False), ("nein", False)]
)
def test_yes_and_no_in_four_languages(text: str, yes: bool) -> None:  # noqa: FBT001 - a table
    assert yes_or_no(text) is yes


def test_whether_somebody_spoke_in_confidence_is_never_guessed() -> None:
    with pytest.raises(Refused):
        yes_or_no("perhaps")
