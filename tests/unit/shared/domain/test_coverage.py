"""Which part of the voices is known, and which domains would help most."""

from __future__ import annotations

from shared.domain.coverage import Weighed, coverage
from tests.support.company import COMPANY, directory


def test_the_share_of_unknown_voices() -> None:
    assert coverage(Weighed(1000, 613), directory()).unknown_percent == 61
    assert coverage(Weighed(), directory()).unknown_percent == 0


def test_domains_that_would_help_are_those_nobody_knows_the_most_pieces_first() -> None:
    domains = {
        "acme.example": 50,
        "brightline.example": 40,
        "gmail.com": 30,
        "town.gov": 20,
        "some.example": 5,
        "many.example": 9,
        "also.example": 9,
    }
    segments = [*COMPANY["segments"], {"id": "public", "name": "P", "rules": [{"domains": ["gov"]}]}]
    found = coverage(Weighed(500, 200, 10, domains), directory(segments=segments))
    assert found.helpful == (("also.example", 9), ("many.example", 9), ("some.example", 5))
    assert found.private == 30
