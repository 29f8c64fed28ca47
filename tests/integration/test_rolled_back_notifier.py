"""The ledger as a newer release has left it: what that one alone can send waits for it, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

from shared import clock
from shared.domain.delivery import Content, Target
from shared.store.connection import Document, Store
from shared.store.delivery_documents import document_of
from tests.support.notifier_house import a_house, a_row
from tests.support.wait import until

_MAIL = Target("email", "pia@brightline.example")
_PAGER = Target("pager", "pia")


def row(name: str, *chain: Target, **newer: str) -> Document:
    due = a_row(notice_id=name, feedback_id=name, chain=chain, content=Content(text="The bill."))
    return {**document_of(due), "_id": name, "planned_at": due.due_at, **newer}


async def test_what_only_a_newer_release_can_send_waits_for_it(store: Store) -> None:
    rows = [
        row("mailed", _MAIL),
        row("of a state of its own", _MAIL, state="paused"),
        row("for a purpose of its own", _MAIL, purpose="digest"),
        row("by a receiver of its own", _PAGER),
        row("by a receiver of its own, or mail", _PAGER, _MAIL),
    ]
    async with a_house(store) as house:
        await store.collection("deliveries").insert_many(rows)
        async with house.replica():

            async def looked_at() -> bool:
                left = await house.rows(state="due", due_at={"$lte": clock.now()}, purpose="notice")
                return not left and not await house.rows(state="sending")

            await until(looked_at, within_s=20, what="all that can be sent is sent")
        found = {one["_id"]: one for one in await house.rows()}
        assert {name: one["state"] for name, one in found.items()} == {
            "mailed": "sent",
            "by a receiver of its own, or mail": "sent",
            "of a state of its own": "paused",
            "for a purpose of its own": "due",
            "by a receiver of its own": "due",
        }
        assert len(house.mail.mails) == 2
        waiting = found["by a receiver of its own"]
        assert waiting["due_at"] > clock.now() + timedelta(seconds=30)
        assert (waiting["position"], waiting["tries"], "attempts" in waiting) == (0, 0, False)
