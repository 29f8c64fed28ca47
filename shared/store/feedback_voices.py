"""Queries of pieces by whether it is known who speaks. Only domains come out of them, never an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.counting import COUNTED
from shared.domain.coverage import Weighed
from shared.events.feedback import Affiliation, Change
from shared.store.connection import Document

_MOST_DOMAINS = 500
#: Whose voice is weighed: the one spoken for, else the one who reports.
_AFFILIATION = {"$ifNull": ["$spoken_for.affiliation", "$reported_by.affiliation"]}
_DOMAIN = {"$toLower": {"$arrayElemAt": [{"$split": ["$reply_to.address", "@"]}, -1]}}


def weighed_groups(since: datetime) -> list[Document]:
    """Counts by known or not, and affiliation."""
    group = {"known": "$tags.weight.known", "affiliation": _AFFILIATION}
    return [{"$match": _received(since)}, {"$group": {"_id": group, "pieces": {"$sum": 1}}}]


def unknown_domains(since: datetime) -> list[Document]:
    """Counts by the domain of whoever is answered by mail, which says that the address is theirs."""
    unknown = {
        **_received(since),
        "tags.weight.known": False,
        "reported_by.affiliation": {"$ne": Affiliation.COLLEAGUE.value},
        "spoken_for": None,
        "reply_to.receiver": "email",
    }
    return [
        {"$match": unknown},
        {"$group": {"_id": _DOMAIN, "pieces": {"$sum": 1}}},
        {"$sort": {"pieces": -1, "_id": 1}},
        {"$limit": _MOST_DOMAINS},
    ]


def weighed_from(groups: Sequence[Document], domains: Sequence[Document]) -> Weighed:
    unknown = [group for group in groups if not group["_id"].get("known")]
    colleagues = [
        group for group in unknown if group["_id"].get("affiliation") == Affiliation.COLLEAGUE.value
    ]
    return Weighed(
        pieces=_sum(groups),
        unknown=_sum(unknown),
        unknown_colleagues=_sum(colleagues),
        domains={row["_id"]: row["pieces"] for row in domains if row["_id"]},
    )


def _sum(groups: Sequence[Document]) -> int:
    return sum(int(group["pieces"]) for group in groups)


def _received(since: datetime) -> Document:
    alive = {"$ne": Change.DELETED.value}
    return {"received_at": {"$gte": since}, "change": alive, "mode": {"$in": sorted(COUNTED)}}
