"""Whose fault is it when MongoDB answers no?"""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from shared.errors import DependencyDown, PermanentError
from shared.store.connection import Store
from shared.store.faults import document_or_server


@pytest.mark.parametrize(
    "document",
    [
        {"_id": "1", "raw": b"x" * 17_000_000, "channel": "mail", "reason": "bounce"},
        {"_id": "1", "channel": 7},
        {"_id": "1", "raw": object()},
        {"_id": "1", "count": 2**70},
        {"_id": "1", "channel": "\ud800"},
    ],
    ids=["too large", "against the validator", "no BSON", "too large a number", "no UTF-8"],
)
async def test_a_document_it_never_takes(store: Store, document: dict[str, Any]) -> None:
    with pytest.raises(PermanentError), document_or_server():
        await store.collection("quarantine").insert_one(document)


async def test_a_server_that_refuses(store: Store) -> None:
    with pytest.raises(DependencyDown, match="code"), document_or_server():
        raise OperationFailure("not authorized", code=13)
    with pytest.raises(DependencyDown), document_or_server():
        await store.db.command("noSuchCommand")
