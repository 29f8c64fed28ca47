from __future__ import annotations

from datetime import datetime

import pytest

from services.ingest.domain.build import build
from services.ingest.domain.codename import _FIRST, _SECOND, codename, keyed_id
from services.ingest.domain.conceal import conceal, concealed_id, names_of, seal_away
from services.ingest.domain.identify import Identity, identify
from services.ingest.domain.shorten import shorten
from services.ingest.domain.submission import Claim, Submission
from shared.domain.masking import mask
from shared.events.feedback import Affiliation, FeedbackReceived, Occasion, ReplyTo
from tests.support.submissions import COLLEAGUE, DIRECTORY, RECEIVED_AT, submission

KEY, OTHER_KEY = b"one", b"other"
REPLY = ReplyTo(receiver="slack", address="D0ANN", thread="17.5")
CONFIDED = submission(
    reported_by=COLLEAGUE,
    confidential=True,
    external_id="C1/17.5",
    thread_id="C1/17.0",
    url="https://slack.example/C1/p17",
    reply_to=REPLY,
)


def found(given: Submission) -> Identity:
    return identify(given, given, DIRECTORY, RECEIVED_AT)


def event(given: Submission = CONFIDED) -> FeedbackReceived:
    return build(given, found(given), shorten(given.text, (), 100), (), RECEIVED_AT)


def test_nothing_in_the_event_leads_to_the_contributor() -> None:
    hidden = conceal(event(), KEY, DIRECTORY)
    told = hidden.model_dump_json()
    for trace in ('"ann"', "Ann", "Quote", "brightline.example/", "C1/17", "slack.example", "D0ANN"):
        assert trace not in told.replace("feedback@brightline.example", "")
    assert hidden.reply_to == ReplyTo(receiver="contributor", address=hidden.feedback_id)
    assert hidden.confidential
    assert hidden.codename == hidden.reported_by.display_name
    assert hidden.reported_by.affiliation is Affiliation.COLLEAGUE


def test_who_is_not_to_be_answered_is_not() -> None:
    assert conceal(event(submission(confidential=True)), KEY, DIRECTORY).reply_to is None


def test_neither_the_lunch_nor_who_was_there_is_told() -> None:
    other = Claim("email", "dora@acme.example", "Dora Doe", verified=True)
    given = submission(
        reported_by=COLLEAGUE, confidential=True, occasion=Occasion.LUNCH, spoken_for=other, account="acme"
    )
    hidden = conceal(event(given), KEY, DIRECTORY)
    assert (hidden.occasion, hidden.spoken_for and hidden.spoken_for.account) == ("other", "acme")
    assert "Dora" not in hidden.model_dump_json()
    shown = mask(
        "Dora told Ann: ask dora@acme.example, says Dora Doe.", names_of(given, found(given), DIRECTORY)
    )
    assert "ora" not in shown
    assert "Ann" not in shown


def test_what_it_was_imported_with_stays() -> None:
    assert conceal(event(submission(confidential=True, batch="crm 2019")), KEY, DIRECTORY).batch == "crm 2019"


@pytest.mark.parametrize(
    ("address", "department"), [("ann@brightline.example", "support"), ("lea@brightline.example", None)]
)
def test_a_department_is_named_where_five_people_are_in_it(address: str, department: str | None) -> None:
    given = submission(reported_by=Claim("email", address, "", verified=True))
    assert conceal(event(given), KEY, DIRECTORY).reported_by.department == department


def test_account_and_persona_are_left_out_of_the_contributor_and_kept_of_the_customer() -> None:
    carl = Claim("email", "carl@acme.example", "Carl", verified=True)
    own = conceal(event(submission(reported_by=carl)), KEY, DIRECTORY).reported_by
    assert (own.account, own.segment, own.persona) == (None, None, None)
    other = conceal(event(submission(reported_by=COLLEAGUE, spoken_for=carl)), KEY, DIRECTORY).spoken_for
    assert other is not None
    assert (other.account, other.display_name) == ("acme", "")
    same = conceal(event(submission(reported_by=carl, spoken_for=carl)), KEY, DIRECTORY).spoken_for
    assert same is None


def test_a_person_keeps_the_codename_and_another_key_gives_another() -> None:
    names = {codename(KEY, "ann") for _ in range(3)}
    assert len(names) == 1
    one, other = (conceal(event(), key, DIRECTORY).reported_by.person_id for key in (KEY, OTHER_KEY))
    assert one != other
    assert keyed_id(KEY, "person", "ann") != keyed_id(KEY, "codename", "ann")


def test_codenames_are_many_and_pleasant_to_read() -> None:
    assert len(set(_FIRST)) == len(_FIRST)
    assert len(set(_SECOND)) == len(_SECOND)
    assert len(_FIRST) * len(_SECOND) > 10_000
    given = {codename(KEY, str(number)) for number in range(1_000)}
    assert len(given) > 900
    assert all(name.replace(" ", "").isalpha() for name in given)


def test_an_id_that_could_be_guessed_is_keyed_and_one_that_edits_need_stays() -> None:
    external, stated = (
        found(CONFIDED),
        found(submission(occurred_at=datetime(2026, 5, 4, tzinfo=RECEIVED_AT.tzinfo))),
    )
    assert concealed_id(KEY, external) == external.feedback_id
    assert concealed_id(KEY, stated) not in {stated.feedback_id, concealed_id(OTHER_KEY, stated)}
    assert concealed_id(KEY, stated) == concealed_id(KEY, stated)


def test_the_way_back_is_sealed() -> None:
    sealed = seal_away(CONFIDED, found(CONFIDED))
    assert (sealed.person_id, sealed.name, sealed.address) == ("ann", "Ann Quote", "ann@brightline.example")
    assert (sealed.reply_to, sealed.external_id) == (REPLY, "C1/17.5")
    assert (sealed.thread_id, sealed.url) == ("C1/17.0", "https://slack.example/C1/p17")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Regards, Ann Quote", "Regards, [name removed]"),
        ("ann quote said so", "[name removed] said so"),
        ("Ann", "[name removed]"),
        ("Annual plans and a quote for them", "Annual plans and a quote for them"),
        ("write to ANN@brightline.example", "write to [name removed]"),
        ("or ann.old@brightline.example.", "or [name removed]."),
        ("<@U0ANN> here", "<@[name removed]> here"),
        ("A. Quote", "[name removed]"),
        ("Lea knows", "Lea knows"),
    ],
)
def test_the_contributors_own_names_are_masked(text: str, shown: str) -> None:
    assert mask(text, names_of(CONFIDED, found(CONFIDED), DIRECTORY)) == shown
