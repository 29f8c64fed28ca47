"""`POST /v1/notes`: who reports is who the key says, and nothing of what was heard is lost."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.api_key import Scope
from shared.events.feedback import Affiliation, Mode
from tests.support.doors import Doors

_CONTENT = "/attachments/0/content"
NOTE = {"kind": "lunch", "text": "She never knows which line is the set-up."}


async def test_a_note_says_who_heard_it_from_whom_and_where(house: Doors) -> None:
    answer = await house.note(
        NOTE
        | {
            "on_behalf_of": {"name": "Dora Doe", "email": "dora@partner.example", "affiliation": "partner"},
            "account": "ACME",
            "would_change": "The order of the lines.",
            "would_keep": "The PDF.",
            "touchpoint": "invoice",
            "occurred_at": "2026-05-01T12:30:00+02:00",
        }
    )
    assert answer.status_code == 202
    (event,) = house.events
    assert answer.json() == {
        "status": "accepted",
        "feedback_id": event.feedback_id,
        "revision": event.revision,
    }
    assert (event.channel, event.source, event.occasion, event.mode) == ("note", "notes", "lunch", Mode.LIVE)
    assert event.text == (
        "She never knows which line is the set-up.\n\nTo change: The order of the lines.\n\nTo keep: The PDF."
    )
    assert (event.reported_by.person_id, event.reported_by.affiliation) == ("ann", Affiliation.COLLEAGUE)
    assert event.spoken_for is not None
    assert (event.spoken_for.display_name, event.spoken_for.affiliation, event.spoken_for.account) == (
        "Dora Doe",
        Affiliation.PARTNER,
        "acme",
    )
    assert event.reply_to is not None
    assert (event.reply_to.receiver, event.reply_to.address) == ("email", "ann@brightline.example")
    assert event.hints.touchpoint == "invoice"
    assert event.occurred_at.day == 1


@pytest.mark.parametrize(
    ("account", "party", "name", "known"),
    [
        ("acme", {"name": "carl contact"}, "Carl Contact", ("acme", "buyer", Affiliation.CUSTOMER)),
        ("acme.example", {}, "", ("acme", None, Affiliation.CUSTOMER)),
        ("Nordwind", {"name": "Anna Berg"}, "Anna Berg, Nordwind", (None, None, Affiliation.UNKNOWN)),
        ("Nordwind", {"affiliation": "prospect"}, "Nordwind", (None, None, Affiliation.PROSPECT)),
        ("", {"email": "dora@acme.example"}, "dora@acme.example", ("acme", None, Affiliation.CUSTOMER)),
    ],
)
async def test_an_account_is_found_or_its_name_is_kept(
    house: Doors, account: str, party: dict[str, str], name: str, known: tuple[object, ...]
) -> None:
    answer = await house.note({**NOTE, "account": account, "on_behalf_of": party})
    said = house.events[0].spoken_for
    assert said is not None
    assert said.display_name == name
    assert (said.account, said.persona, said.affiliation) == known
    warned = [warning["pointer"] for warning in answer.json().get("warnings", ())]
    assert warned == (["/account"] if account == "Nordwind" else [])


async def test_a_system_s_key_names_the_colleague(house: Doors) -> None:
    token = house.keys.add(Scope.NOTES, source="crm")
    assert (await house.note({**NOTE, "by": "lea"}, token=token)).status_code == 202
    assert house.events[0].reported_by.person_id == "lea"
    assert (await house.note({**NOTE, "by": "s1"}, token=token)).status_code == 202
    assert house.events[1].reply_to is None, "who has no address is not answered, and heard all the same"


@pytest.mark.parametrize(
    ("person", "scopes", "change", "status", "pointer"),
    [
        (None, [Scope.NOTES], {}, 422, "/by"),
        (None, [Scope.NOTES], {"by": "leah"}, 422, "/by"),
        ("ann", [Scope.NOTES], {"by": "lea"}, 403, "/by"),
        ("gone", [Scope.NOTES], {}, 403, None),
        ("ann", [Scope.WRITE], {}, 403, None),
        ("ann", [Scope.NOTES], {"kind": "brunch"}, 422, "/kind"),
        ("ann", [Scope.NOTES], {"text": " "}, 422, "/text"),
        ("ann", [Scope.NOTES], {"mode": "import"}, 422, "/mode"),
        ("ann", [Scope.NOTES], {"occurred_at": "2031-01-01T00:00:00Z"}, 422, "/occurred_at"),
        ("ann", [Scope.NOTES], {"on_behalf_of": {"nmae": "x"}}, 422, "/on_behalf_of/nmae"),
        (
            "ann",
            [Scope.NOTES],
            {"attachments": [{"name": "a", "content": "?"}]},
            422,
            "/attachments/0/content",
        ),
    ],
)
async def test_what_is_refused_says_where_and_what_to_do(
    house: Doors,
    person: str | None,
    scopes: list[Scope],
    change: dict[str, Any],
    status: int,
    pointer: str | None,
) -> None:
    token = house.keys.add(*scopes, person=person)
    answer = await house.note({**NOTE, **change}, token=token)
    assert answer.status_code == status
    assert answer.json().get("pointer") == pointer
    assert answer.json()["remedy"]
    assert not house.events


async def test_a_key_that_may_only_test_changes_no_trend(house: Doors) -> None:
    token = house.keys.add(Scope.TEST)
    assert (await house.note({**NOTE, "by": "ann"}, token=token)).status_code == 202
    assert house.events[0].mode is Mode.TEST
    assert (await house.note({**NOTE, "by": "ann", "mode": "live"}, token=token)).status_code == 403


async def test_two_lunches_on_one_day_are_two_notes_and_a_retry_is_none(house: Doors) -> None:
    same = {**NOTE, "occurred_at": "2026-05-01T12:00:00Z"}
    for note in (same, same):
        await house.note(note)
    first = await house.note(same, idempotency_key="k")
    again = await house.note(same, idempotency_key="k")
    assert first.json() == again.json()
    assert len({event.feedback_id for event in house.events}) == 3
    other = await house.note({**same, "text": "Something else."}, idempotency_key="k")
    assert (other.status_code, other.json()["reason"]) == (422, "idempotency_conflict")


async def test_in_confidence_neither_name_is_told(house: Doors) -> None:
    await house.note(
        {**NOTE, "text": "Dora told Ann so.", "confidential": True, "on_behalf_of": {"name": "Dora Doe"}}
    )
    (event,) = house.events
    told = event.model_dump_json()
    assert event.confidential
    assert "Dora" not in told
    assert "Ann" not in told
    assert event.feedback_id in house.parts.memory.sealed


async def test_it_is_described(house: Doors) -> None:
    document = (await house.http.get("/openapi.json")).json()
    route = document["paths"]["/v1/notes"]["post"]
    schema = route["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"kind", "text"}
    assert not any(path.startswith("/notes") for path in document["paths"])
