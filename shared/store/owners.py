"""Who writes which collection: one writer each, everybody may read. A test compares it with the repositories.

Indexes and required fields stand here too, so that a repository is about queries only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["ingest", "classifier", "notifier", "console", "shared"]
Direction = Literal[1, -1]


@dataclass(frozen=True, slots=True)
class Index:
    """`keys` in order; `expire_after_s` makes it a TTL index on its one key; `where` a partial one."""

    name: str
    keys: tuple[tuple[str, Direction], ...]
    unique: bool = False
    expire_after_s: int | None = None
    where: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """`required` maps a field to its BSON type: the validator checks presence and type, nothing more."""

    name: str
    owner: Owner
    required: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    indexes: tuple[Index, ...] = ()


ATTACHMENTS = CollectionSpec(
    "attachments.files",
    "ingest",
    indexes=(
        Index("by_content", (("metadata.sha256", 1),)),
        Index("by_feedback", (("metadata.feedback_ids", 1),)),
        Index("dropped", (("metadata.dropped", 1),), where=(("metadata.dropped", True),)),
    ),
)
ATTACHMENT_CHUNKS = CollectionSpec("attachments.chunks", "ingest")
CONTRIBUTORS = CollectionSpec(
    "contributors", "ingest", required=(("sealed", "binData"), ("codename", "string"))
)
IDEMPOTENCY = CollectionSpec(
    "idempotency",
    "ingest",
    required=(("body_hash", "string"), ("expires_at", "date")),
    indexes=(Index("expires", (("expires_at", 1),), expire_after_s=0),),
)
IMPORTS = CollectionSpec(
    "imports",
    "ingest",
    required=(("source", "string"), ("file_name", "string"), ("rows_done", ("int", "long"))),
    indexes=(Index("newest", (("updated_at", -1),)),),
)
QUARANTINE = CollectionSpec(
    "quarantine",
    "ingest",
    required=(("channel", "string"), ("reason", "string"), ("received_at", "date")),
    indexes=(
        Index("newest", (("received_at", -1),)),
        Index("by_reason", (("reason", 1), ("received_at", -1))),
    ),
)
FEEDBACK = CollectionSpec(
    "feedback",
    "classifier",
    required=(
        ("feedback_id", "string"),
        ("channel", "string"),
        ("source", "string"),
        ("revision", ("long", "int")),
        ("change", "string"),
    ),
    indexes=(
        # Each costs the database 5 µs a piece, so there is one for a query that somebody makes.
        Index("triage", (("received_at", -1),), where=(("tags.needs_triage", True),)),
        Index("by_person", (("reported_by.person_id", 1), ("received_at", -1))),
        # Most pieces come with no import, and cost it nothing.
        Index("by_batch", (("batch", 1), ("classified_at", 1)), where=(("batch", {"$gt": ""}),)),
        # A ticket that is deleted takes its comments along; no other channel asks for a thread.
        Index("by_thread", (("thread_id", 1),), where=(("channel", "zendesk"),)),
    ),
)
DELIVERIES = CollectionSpec(
    "deliveries",
    "notifier",
    required=(
        ("notice_id", "string"),
        ("feedback_id", "string"),
        ("purpose", "string"),
        ("state", "string"),
        ("due_at", "date"),
    ),
    indexes=(
        # Partial ones: a row is in one of them at a time, and in none once it is sent.
        Index("due", (("urgent", -1), ("due_at", 1)), where=(("state", "due"),)),
        Index("in_flight", (("lease_until", 1),), where=(("state", "sending"),)),
        Index("trouble", (("state", 1), ("due_at", -1)), where=(("state", {"$in": ["failed", "unknown"]}),)),
        Index("by_feedback", (("feedback_id", 1),)),
    ),
)
BUCKETS = CollectionSpec(
    "buckets",
    "notifier",
    required=(("run", ("int", "long")), ("touched_at", "date")),
    indexes=(
        Index("open", (("touched_at", 1),), where=(("opened_at", {"$exists": True}),)),
        # Longer than any event is kept and might be read again.
        Index("forgotten", (("touched_at", -1),), expire_after_s=90 * 86_400),
    ),
)
DIRECTORY = CollectionSpec(
    "directory",
    "console",
    required=(("version", ("int", "long")), ("author", "string"), ("applied_at", "date")),
)
API_KEYS = CollectionSpec(
    "api_keys", "console", required=(("hash", "string"), ("scopes", "array"), ("created_at", "date"))
)
MIGRATIONS = CollectionSpec("migrations", "shared")
LEASES = CollectionSpec("leases", "shared")

COLLECTIONS: tuple[CollectionSpec, ...] = (
    ATTACHMENTS,
    ATTACHMENT_CHUNKS,
    CONTRIBUTORS,
    IDEMPOTENCY,
    IMPORTS,
    QUARANTINE,
    FEEDBACK,
    DELIVERIES,
    BUCKETS,
    DIRECTORY,
    API_KEYS,
    MIGRATIONS,
    LEASES,
)
