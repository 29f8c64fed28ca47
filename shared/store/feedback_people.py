"""Which pieces are of whom: queries by person and by account, in what is stored of feedback."""

from __future__ import annotations

from collections.abc import Collection as Several

from shared import ids
from shared.store.connection import Document

_SPEAKERS = ("reported_by", "spoken_for")


def of_people(people: Several[str], accounts: Several[str]) -> list[Document]:
    """Queries that together find every piece of these; each of those by person has an index of its own."""
    known = sorted(person for person in people if not person.startswith(ids.ANONYMOUS))
    queries: list[Document] = []
    if known:
        # The bound is the partial index's own, or it would not be used.
        queries = [
            {"reported_by.person_id": {"$in": known, "$lt": ids.ANONYMOUS}},
            {"spoken_for.person_id": {"$in": known, "$gt": ""}},
        ]
    if len(known) < len(people):
        anonymous = sorted(person for person in people if person.startswith(ids.ANONYMOUS))
        queries.append({"_id": {"$in": [person.removeprefix(ids.ANONYMOUS) for person in anonymous]}})
    return queries + [{f"{speaker}.account": {"$in": sorted(accounts)}} for speaker in _SPEAKERS if accounts]


def identities_of() -> list[list[Document]]:
    """Aggregations that name everybody who ever spoke: documents with `_id` and `kind`."""
    fields = (("person", "person_id"), ("account", "account"))
    return [
        [
            {"$match": {f"{speaker}.{field}": {"$gt": ""}}},
            {"$group": {"_id": f"${speaker}.{field}"}},
            {"$addFields": {"kind": kind}},
        ]
        for speaker in _SPEAKERS
        for kind, field in fields
    ]
