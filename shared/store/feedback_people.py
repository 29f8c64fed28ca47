"""Which pieces are of whom: queries by person and by account, in what is stored of feedback."""

from __future__ import annotations

from collections.abc import Collection as Several

from shared.store.connection import Document

_SPEAKERS = ("reported_by", "spoken_for")


def of_people(people: Several[str], accounts: Several[str]) -> list[Document]:
    """Queries that together find every piece of these; each of those by person has an index of its own."""
    by_person = [{f"{speaker}.person_id": {"$in": sorted(people)}} for speaker in _SPEAKERS if people]
    by_account = [{f"{speaker}.account": {"$in": sorted(accounts)}} for speaker in _SPEAKERS if accounts]
    # `$gt` lets the partial index be used.
    for query in by_person[1:]:
        query["spoken_for.person_id"]["$gt"] = ""  # type: ignore[assignment]
    return [*by_person, *by_account]


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
