from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.identify import Identity, identify
from services.ingest.domain.normalise import normalise
from services.ingest.domain.submission import Claim, ClaimKind, File, Submission
from shared import clock, ids
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.events.feedback import Affiliation, Change, Mode, ReplyTo
from tests.support.submissions import COLLEAGUE, DIRECTORY, RECEIVED_AT, WORKSPACE, submission

STATED = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
REPLY = ReplyTo(receiver="email", address="sam@nowhere.example")


def identity(given: Submission, received_at: datetime = RECEIVED_AT) -> Identity:
    return identify(given, normalise(given), DIRECTORY, received_at)


def feedback_id(**fields: Any) -> str:  # noqa: ANN401 - any field may be given
    return identity(submission(**fields)).feedback_id


LATER = RECEIVED_AT + timedelta(hours=1)

#: Two submissions, and whether they are one piece.
SAME = [
    ({"external_id": "7"}, {"external_id": "7", "text": "edited", "retry_key": "k"}, True),
    ({"external_id": "7"}, {"external_id": "8"}, False),
    ({"external_id": "7"}, {"external_id": "7", "source": "other"}, False),
    ({"external_id": "7"}, {"external_id": "7", "channel": "rest"}, False),
    ({"external_id": " "}, {"external_id": " "}, False),
    ({"occurred_at": STATED}, {"occurred_at": STATED, "retry_key": "other"}, True),
    (
        {"occurred_at": STATED},
        {"occurred_at": STATED.astimezone(timezone(timedelta(hours=2)))},
        True,
    ),
    ({"occurred_at": STATED}, {"occurred_at": STATED + timedelta(seconds=1)}, False),
    (
        {"occurred_at": STATED},
        {"occurred_at": STATED, "text": "The invoice shows the wrong VAT number. "},
        False,
    ),
    ({"occurred_at": STATED}, {"occurred_at": STATED, "reported_by": COLLEAGUE}, False),
    ({"occurred_at": STATED}, {"occurred_at": STATED, "ordinal": 1}, False),
    ({"occurred_at": STATED}, {"occurred_at": STATED, "files": (File("a", "", b"x"),)}, False),
    ({"retry_key": "k"}, {"retry_key": "k"}, True),
    ({"retry_key": "k"}, {"retry_key": "other"}, False),
    ({"retry_key": "k"}, {"retry_key": "k", "text": "the next item of the request"}, False),
    ({"retry_key": "k"}, {"retry_key": "k", "ordinal": 1}, False),
    ({"external_id": "7"}, {"external_id": "7", "mode": Mode.IMPORT}, True),
    ({"external_id": "7"}, {"external_id": "7", "batch": "crm 2019"}, True),
    # Whoever tries something out can neither change nor delete what counts.
    ({"external_id": "7"}, {"external_id": "7", "mode": Mode.TEST}, False),
    ({"external_id": "7"}, {"external_id": "7", "mode": Mode.TEST, "change": Change.DELETED}, False),
    ({"occurred_at": STATED}, {"occurred_at": STATED, "mode": Mode.TEST}, False),
    ({"retry_key": "k"}, {"retry_key": "k", "mode": Mode.TEST}, False),
    ({"external_id": "7", "mode": Mode.TEST}, {"external_id": "7", "mode": Mode.TEST}, True),
    ({}, {}, False),
    ({"text": "\ud800", "retry_key": "k"}, {"text": "\ufffd", "retry_key": "k"}, False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_what_is_one_piece(one: dict[str, Any], other: dict[str, Any], *, same: bool) -> None:
    assert (feedback_id(**one) == feedback_id(**other)) is same


def test_an_external_id_gives_the_id_everybody_computes() -> None:
    found = feedback_id(external_id="C1/17.5", channel="slack", source="T1")
    assert found == ids.feedback_id("slack", "T1", "C1/17.5")


def test_no_external_id_can_meet_one_made_from_a_hash() -> None:
    hashed = identity(submission(occurred_at=STATED))
    assert hashed.guessable
    forged = [f"\x1estated:{ids.digest(b'x')}", "\\x1estated:x", "\x1e"]
    assert hashed.feedback_id not in {feedback_id(external_id=name) for name in forged}


ANYTHING = st.characters(exclude_categories=())


@given(st.text(ANYTHING, min_size=1), st.text(ANYTHING))
def test_every_string_has_an_identity_and_the_same_one_again(external_id: str, text: str) -> None:
    for fields in ({"external_id": external_id}, {"occurred_at": STATED}, {"retry_key": external_id}):
        one, other = (identity(submission(text=text, **fields)) for _ in range(2))
        if external_id.strip() or "external_id" not in fields:
            assert one.feedback_id == other.feedback_id
        one.reported_by.model_dump_json()


@pytest.mark.parametrize(
    ("fields", "revision"),
    [
        ({"revision": 12}, 12),
        ({"revision": 0}, 0),
        ({"revision": 1_777_000_000_000_000}, 1_777_000_000_000_000),
        ({}, clock.to_us(RECEIVED_AT)),
    ],
)
def test_the_revision_is_the_providers_or_the_time_of_receipt(fields: dict[str, Any], revision: int) -> None:
    assert identity(submission(**fields)).revision == revision


@pytest.mark.parametrize(
    ("stated", "occurred_at"),
    [
        (None, RECEIVED_AT),
        (STATED, STATED),
        (RECEIVED_AT + timedelta(hours=5), RECEIVED_AT),
        (STATED.replace(microsecond=123_456), STATED.replace(microsecond=123_000)),
    ],
)
def test_it_occurred_when_stated_but_not_in_the_future(
    stated: datetime | None, occurred_at: datetime
) -> None:
    assert identity(submission(occurred_at=stated)).occurred_at == occurred_at


WHO = [
    # kind, address, name, verified → display name, affiliation, department, account, segment, persona
    ("email", "ann@brightline.example", "x", True, ("Ann Quote", "colleague", "support", None, None, None)),
    (
        "email",
        "ANN.OLD@brightline.example",
        "",
        True,
        ("Ann Quote", "colleague", "support", None, None, None),
    ),
    ("slack", "U0ANN", "", True, ("Ann Quote", "colleague", "support", None, None, None)),
    ("email", "new@brightline.example", "New", True, ("New", "colleague", None, None, None, None)),
    (
        *("email", "carl@acme.example", "", True),
        ("Carl Contact", "customer", None, "acme", "enterprise", "buyer"),
    ),
    ("email", "dora@acme.example", "Dora", True, ("Dora", "customer", None, "acme", "enterprise", None)),
    ("email", "sam@nowhere.example", "Sam", True, ("Sam", "unknown", None, None, None, None)),
    ("slack", "U0GUEST", "Guest", True, ("Guest", "unknown", None, None, None, None)),
    ("api", "carl@acme.example", "Carl", True, ("Carl", "unknown", None, None, None, None)),
    ("email", "ann@brightline.example", "Ann", False, ("Ann", "unknown", None, None, None, None)),
    ("email", "carl@acme.example", "", False, ("carl@acme.example", "unknown", None, None, None, None)),
    ("slack", "U0ANN", "Ann", False, ("Ann", "unknown", None, None, None, None)),
]


@pytest.mark.parametrize(("kind", "address", "name", "verified", "expected"), WHO)
def test_who_is_recognised(
    kind: ClaimKind, address: str, name: str, *, verified: bool, expected: tuple[str | None, ...]
) -> None:
    found = identity(submission(reported_by=Claim(kind, address, name, verified))).reported_by
    assert expected == (
        *(found.display_name, found.affiliation.value, found.department),
        *(found.account, found.segment, found.persona),
    )


RULED = Directory(
    Workspace.model_validate(
        WORKSPACE.model_dump(by_alias=True)
        | {
            "segments": [
                {"id": "enterprise", "name": "E", "rules": [{"domains": ["gov"]}]},
                {"id": "small", "name": "S", "rules": [{"tiers": ["free"]}]},
            ],
            "personas": [{"id": "buyer", "name": "B", "rules": [{"local_parts": ["einkauf"]}]}],
            "accounts": [{"id": "tiny", "name": "Tiny", "domains": ["tiny.example"], "tier": "free"}],
        }
    ),
    2,
)


@pytest.mark.parametrize(
    ("address", "verified", "expected"),
    [
        ("einkauf@tiny.example", True, ("customer", "small", "buyer")),
        ("cora@tiny.example", True, ("customer", "small", None)),
        ("einkauf@town.gov", True, ("unknown", "enterprise", "buyer")),
        ("einkauf@brightline.example", True, ("colleague", None, None)),
        ("einkauf@tiny.example", False, ("unknown", None, None)),
    ],
)
def test_rules_give_segment_and_persona_to_whom_is_proved_and_no_colleague(
    address: str, *, verified: bool, expected: tuple[str | None, ...]
) -> None:
    given = submission(reported_by=Claim("email", address, "", verified))
    found = identify(given, normalise(given), RULED, RECEIVED_AT).reported_by
    assert (found.affiliation.value, found.segment, found.persona) == expected


def person(kind: ClaimKind, address: str, *, verified: bool = True, **fields: str) -> str:
    claim = Claim(kind, address, "", verified)
    return identity(submission(reported_by=claim, **fields)).reported_by.person_id


def test_all_addresses_of_a_colleague_are_one_person() -> None:
    addresses: list[tuple[ClaimKind, str]] = [
        ("email", "ann@brightline.example"),
        ("email", "Ann.Old@Brightline.example"),
        ("slack", "U0ANN"),
    ]
    assert {person(kind, address) for kind, address in addresses} == {"ann"}


def test_whoever_only_claims_an_address_is_never_its_owner() -> None:
    for address in ("ann@brightline.example", "carl@acme.example", "sam@nowhere.example"):
        assert person("email", address) != person("email", address, verified=False)


def test_the_same_stranger_is_the_same_person_everywhere_but_numbers_are_of_one_system() -> None:
    assert person("email", "Sam@nowhere.example") == person("email", "sam@nowhere.example", source="other")
    assert person("api", "42") == person("api", "42")
    assert person("api", "42") != person("api", "42", source="other")


def test_two_anonymous_pieces_are_two_voices() -> None:
    assert person("api", "", external_id="1") != person("api", "", external_id="2")
    assert person("api", "", external_id="1") == person("api", "", external_id="1")


@pytest.mark.parametrize(
    ("verified", "told", "affiliation"),
    [
        (True, Affiliation.PARTNER, Affiliation.PARTNER),
        (True, Affiliation.COLLEAGUE, Affiliation.COLLEAGUE),
        (False, Affiliation.CUSTOMER, Affiliation.CUSTOMER),
        (False, Affiliation.COLLEAGUE, Affiliation.UNKNOWN),
        (True, None, Affiliation.UNKNOWN),
    ],
)
def test_what_the_channel_was_told_counts_where_the_directory_is_silent(
    *, verified: bool, told: Affiliation | None, affiliation: Affiliation
) -> None:
    claim = Claim("email", "sam@nowhere.example", "Sam", verified)
    assert identity(submission(reported_by=claim, affiliation=told)).reported_by.affiliation is affiliation


def test_a_colleague_speaks_for_a_customer() -> None:
    customer = Claim("email", "dora@acme.example", "Dora", verified=True)
    found = identity(submission(reported_by=COLLEAGUE, spoken_for=customer, affiliation=Affiliation.PARTNER))
    assert found.reported_by.affiliation is Affiliation.COLLEAGUE
    assert found.spoken_for is not None
    assert (found.spoken_for.account, found.spoken_for.affiliation) == ("acme", Affiliation.CUSTOMER)


@pytest.mark.parametrize(
    ("claim", "told", "account", "shown"),
    [
        (Claim("email", ""), None, "acme", ("", Affiliation.CUSTOMER, "acme", "enterprise", None)),
        (
            Claim("email", "", "Eva"),
            Affiliation.PARTNER,
            "acme",
            ("Eva", "partner", "acme", "enterprise", None),
        ),
        (
            Claim("email", "carl@acme.example", verified=True),
            None,
            "acme",
            ("Carl Contact", "customer", "acme", "enterprise", "buyer"),
        ),
        (Claim("email", "", "Eva"), Affiliation.PROSPECT, "acne", ("Eva", "prospect", None, None, None)),
    ],
)
def test_a_colleague_says_which_account_it_is_about(
    claim: Claim, told: Affiliation | None, account: str, shown: tuple[object, ...]
) -> None:
    found = identity(submission(reported_by=COLLEAGUE, spoken_for=claim, affiliation=told, account=account))
    said = found.spoken_for
    assert said is not None
    assert (said.display_name, said.affiliation, said.account, said.segment, said.persona) == shown


def test_a_colleague_is_known_by_their_id_as_by_any_address() -> None:
    by_id = identity(submission(reported_by=Claim("person", "ann", verified=True))).reported_by
    assert by_id == identity(submission(reported_by=COLLEAGUE)).reported_by


@pytest.mark.parametrize(
    ("fields", "answered"),
    [
        ({}, True),
        ({"reported_by": Claim("email", "sam@nowhere.example")}, False),
        ({"change": Change.DELETED, "external_id": "1"}, False),
    ],
)
def test_only_who_is_proved_is_answered(fields: dict[str, Any], *, answered: bool) -> None:
    assert (identity(submission(reply_to=REPLY, **fields)).reply_to is not None) is answered


def test_a_deletion_names_nobody() -> None:
    found = identity(submission(change=Change.DELETED, external_id="1", reported_by=COLLEAGUE))
    assert found.reported_by.display_name == ""
    assert found.reported_by.person_id != "ann"
    assert found.spoken_for is None
