"""Which summaries follow from what has gathered, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from services.notifier.domain.plan import Frame
from services.notifier.domain.summarise import Gathered, group_labels, summaries
from services.notifier.domain.summary_wording import (
    MAX_QUOTE_CHARS,
    bucket_name,
    person_why,
    quote_source,
    quotes_of,
    summary_facts,
    summary_headline,
    summary_lead,
    tally_lines,
)
from shared.domain.delivery import Delivery, State
from shared.domain.lens import Lens
from shared.domain.matchers import LABELS
from shared.domain.network import Why, WhyCode
from shared.domain.routing import compile_routes
from shared.domain.summary import Count, Group, Sample, Summary, Tally
from shared.events.feedback import About, Change, Kind, Mode, Polarity, Speaker
from tests.support import company
from tests.support.company import NOW, piece
from tests.unit.shared.domain.test_bucket import BUCKET

DAY = timedelta(days=1)
KEEP, CHANGE, MIXED, NEUTRAL = Polarity.KEEP, Polarity.CHANGE, Polarity.MIXED, Polarity.NEUTRAL


def frame(**changes: Any) -> Frame:  # noqa: ANN401 - declarations
    places: dict[str, Any] = {
        "receivers": [{"id": "people", "kind": "people", "via": ["email", "slack"]}],
        "route": {"receiver": "people"},
    }
    directory = company.directory(**(places | changes))
    return Frame(directory, compile_routes(directory.workspace.route), NOW, DAY)


def group(*touchpoints: str, pieces: int = 1, **fields: Any) -> Group:  # noqa: ANN401 - its fields
    values: dict[str, Any] = {
        "touchpoints": touchpoints,
        "lenses": (),
        "polarity": CHANGE,
        "kind": Kind.PROBLEM,
        "about": About.US,
        "needs_triage": not touchpoints,
        "channel": "rest",
        "source": "crm",
        "mode": Mode.IMPORT,
        "pieces": pieces,
        "first_at": NOW - 10 * DAY,
        "last_at": NOW - 5 * DAY,
    }
    return Group(**(values | fields))


def told(
    *groups: Group, samples: tuple[Sample, ...] = (), within: Frame | None = None
) -> dict[str, Delivery]:
    rows = summaries(BUCKET, Gathered(groups, samples), within or frame())
    return {row.recipient: row for row in rows}


def summary(row: Delivery) -> Summary:
    assert row.summary is not None
    return row.summary


@pytest.mark.parametrize(
    ("groups", "readers"),
    [
        ((), {}),
        ((group("ordering", pieces=7),), {"pia": 7}),
        ((group("activation"),), {"oscar": 1}),
        ((group("ordering", "activation", pieces=3),), {"pia": 3, "oscar": 3}),
        # Two touchpoints of one owner: the pieces are counted once.
        ((group("ordering", "quote", pieces=3),), {"pia": 3}),
        ((group(pieces=2),), {"tess": 2}),
        ((group("gone", needs_triage=False, pieces=2),), {"tess": 2}),
        ((group("ordering", needs_triage=True, pieces=2),), {"pia": 2, "tess": 2}),
        ((group("ordering"), group("login", pieces=4), group()), {"pia": 1, "oscar": 4, "tess": 1}),
    ],
)
def test_who_is_told_of_how_many(groups: tuple[Group, ...], readers: dict[str, int]) -> None:
    assert {name: summary(row).pieces for name, row in told(*groups).items()} == readers


def test_the_ids_follow_from_bucket_run_and_reader_alone() -> None:
    first, again = told(group("ordering")), told(group("ordering", pieces=5))
    assert first["pia"].id == again["pia"].id
    (later,) = summaries(replace(BUCKET, run=2), Gathered((group("ordering"),), ()), frame())
    (other,) = summaries(replace(BUCKET, key="batch:x"), Gathered((group("ordering"),), ()), frame())
    assert len({first["pia"].id, later.id, other.id}) == 3


def test_keep_stands_beside_change_and_what_is_frequent_first() -> None:
    pia = summary(
        told(
            group("ordering", polarity=KEEP, pieces=2, lenses=(Lens.DESIGN,)),
            group("ordering", polarity=CHANGE, pieces=3, lenses=(Lens.DESIGN, Lens.DEVELOPMENT)),
            group("ordering", polarity=MIXED, pieces=4),
            group("ordering", polarity=NEUTRAL, pieces=5),
            group("quote", polarity=KEEP, pieces=20, channel="slack", source="T1", mode=Mode.BACKFILL),
            group("login", pieces=6),
        )["pia"]
    )
    assert pia.touchpoints == (Tally("Quote", 20, 20, 0), Tally("Ordering", 14, 6, 7))
    assert (pia.pieces, pia.of_all, pia.keep, pia.change) == (34, 40, 26, 7)
    assert pia.lenses == (Count("design", 5), Count("development", 3))
    assert pia.origins == (Count("slack (T1), backfilled", 20), Count("rest (crm), imported", 14))
    assert (pia.first_at, pia.last_at) == (NOW - 10 * DAY, NOW - 5 * DAY)


def test_a_reader_s_list_has_no_touchpoint_of_others() -> None:
    both = told(group("ordering", "activation"))
    assert [tally.name for tally in summary(both["oscar"]).touchpoints] == ["Activation"]
    assert [tally.name for tally in summary(both["pia"]).touchpoints] == ["Ordering"]


def test_everybody_hears_how_much_of_it_needs_triage() -> None:
    rows = told(group("ordering", pieces=5), group(pieces=2))
    assert [summary(row).needs_triage for row in rows.values()] == [2, 2]


def test_who_has_no_address_is_listed_as_failed() -> None:
    (row,) = told(group("x"), within=frame(products=_OF_HAL)).values()
    assert (row.recipient, row.state, row.problem) == ("hal", State.FAILED, "no address in the directory")


_STAGE = {"id": "s", "name": "S", "touchpoints": [{"id": "x", "name": "X", "owner": "hal"}]}
_OF_HAL = [{"id": "p", "name": "P", "pm": "pia", "stages": [_STAGE]}]


def sample(number: int, touchpoint: str | None, polarity: Polarity, *by: str) -> Sample:
    return Sample(touchpoint, polarity, f"f-{number}", by or ("somebody",))


def test_quotes_are_few_of_frequent_touchpoints_and_not_the_reader_s() -> None:
    samples = (
        sample(1, "ordering", CHANGE, "pia"),
        sample(2, "ordering", CHANGE, "someone", "pia"),
        sample(3, "ordering", CHANGE),
        sample(4, "ordering", KEEP),
        sample(5, "quote", KEEP),
        sample(6, "quote", KEEP),
        sample(7, "login", CHANGE),
        sample(8, None, NEUTRAL),
        *(sample(n, "ordering", CHANGE) for n in range(20, 30)),
    )
    rows = told(group("ordering", pieces=9), group("quote", pieces=3), group(), samples=samples)
    assert summary(rows["pia"]).quoted == ("f-3", "f-4", "f-5", "f-20", "f-6")
    assert summary(rows["tess"]).quoted == ("f-8",)


class TestRoutes:
    PLACES: ClassVar[dict[str, Any]] = {
        "receivers": [
            {"id": "people", "kind": "people", "via": ["email"]},
            {"id": "now", "kind": "people", "via": ["slack"]},
            {"id": "room", "kind": "slack", "address": "C0ROOM"},
            {"id": "hook", "kind": "webhook", "url": "https://crm.example/in", "secret": "secret:hook"},
        ],
        "route": {
            "receiver": "people",
            "routes": [
                {"match": ["touchpoint=ordering"], "receiver": "room", "continue": True},
                {"match": ['account=~".+"'], "receiver": "hook", "continue": True},
                {"match": ["urgency=urgent"], "receiver": "now"},
                {"match": ["mode=backfill"], "receiver": "hook"},
                {"receiver": "people"},
            ],
        },
    }

    def test_places_hear_of_what_is_theirs(self) -> None:
        rows = told(
            group("ordering", pieces=2),
            group("login", pieces=3),
            group("login", pieces=4, mode=Mode.BACKFILL),
            within=frame(**self.PLACES),
        )
        assert {name: summary(row).pieces for name, row in rows.items()} == {
            "place:room": 2, "pia": 2, "oscar": 3, "place:hook": 4,
        }  # fmt: skip
        assert rows["place:hook"].chain[0].secret == "secret:hook"
        assert [target.receiver for target in rows["pia"].chain] == ["email"]
        assert rows["place:room"].why[0] == "The routes send this to *room*"

    def test_its_labels_are_known_ones(self) -> None:
        found = group_labels(group("ordering", "gone", lenses=(Lens.DESIGN,)), frame().directory)
        assert found.keys() <= set(LABELS)
        assert (found["product"], found["stage"], found["touchpoint"]) == (
            ("connect",),
            ("buy",),
            ("ordering",),
        )
        assert (found["urgency"], found["mode"], found["lens"]) == (("normal",), ("import",), ("design",))


class TestWords:
    SUMMARY = Summary("crm 2019", 3, 10_000, 1, 2, 37, NOW - 400 * DAY, NOW)

    def test_of_a_summary(self) -> None:
        one = replace(self.SUMMARY, pieces=1, of_all=1, first_at=NOW)
        assert summary_headline(self.SUMMARY) == "Summary · crm 2019: 3 pieces, 2 to change, 1 to keep"
        assert summary_headline(one).startswith("Summary · crm 2019: 1 piece, ")
        assert summary_lead(self.SUMMARY) == (
            "3 pieces of the 10,000 that came are yours, said from 2025-10-18 to 2026-11-22."
        )
        assert summary_lead(one) == "1 piece came with this import, said on 2026-11-22."
        assert summary_facts(self.SUMMARY, 5) == (("Need triage", "37 of all 10,000"),)

    def test_long_lists_say_what_they_leave_out(self) -> None:
        many = replace(self.SUMMARY, origins=tuple(Count(f"o{n}", n) for n in range(9)))
        assert summary_facts(many, 2)[0] == ("From", "o0 0, o1 1, and 7 more")
        tallies = tuple(Tally(f"T{n}", 1, 0, 1) for n in range(5))
        assert tally_lines(tallies, 3)[2:] == (
            "T2: 1, 1 to change beside 0 to keep",
            "and 2 more touchpoints",
        )

    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({}, "crm"),
            ({"batch": "a\r\nBcc: x@y.example"}, "a Bcc: x@y.example"),
            ({"batch": "x" * 500}, "x" * 59 + "…"),
            (
                {"batch": "de540cc6242be58aff1ec3b385d5441c", "channel": "rest", "source": "reviews"},
                "rest (reviews), imported",
            ),
            (
                {"batch": None, "channel": "slack", "source": "T1", "modes": (Mode.BACKFILL,)},
                "slack (T1), backfilled",
            ),
            (
                {"batch": None, "channel": "mail", "source": "", "modes": (Mode.LIVE,)},
                "mail, old when they came",
            ),
        ],
    )
    def test_what_it_is_called(self, changes: dict[str, Any], name: str) -> None:
        assert bucket_name(replace(BUCKET, **changes)) == name

    def test_why(self) -> None:
        whys = tuple(Why(WhyCode.OWNER, touchpoint=f"t{n}") for n in range(8))
        said = person_why(whys, frame().directory)
        assert said[0] == "You own *t0*"
        assert said[5] == "and 3 more of yours"
        assert "nobody was answered" in said[-1]

    def test_quotes(self) -> None:
        hidden = Speaker(person_id="k", display_name="Quiet Heron")
        pieces = [
            piece(("ordering",), text="It\nis   slow. " + "x" * 500, polarity="change", by_account="acme"),
            piece(
                confidential=True, codename="Quiet Heron", reported_by=hidden, text="", title="In confidence"
            ),
            piece(change=Change.DELETED, text=""),
        ]
        plain, confided = quotes_of(pieces, frame().directory)
        assert plain.text.startswith("It is slow. ")
        assert len(plain.text) == MAX_QUOTE_CHARS
        assert quote_source(plain) == "Sam (Acme) · Change · Ordering"
        assert confided.text == "In confidence"
        assert quote_source(confided) == "Quiet Heron, in confidence · Heard · Ordering"
