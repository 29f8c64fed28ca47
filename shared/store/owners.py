"""Who writes which collection: one writer each, everybody may read. A test compares it with the repositories.

Indexes and required fields stand here too, so that a repository is about queries only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared import ids

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
class Forgets:
    """When somebody is forgotten, the service `by` clears what is of them; `how` says what is left."""

    by: Literal["ingest", "classifier", "notifier"]
    how: str


@dataclass(frozen=True, slots=True)
class NothingOfPeople:
    """There is nothing to be cleared, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """`required` maps a field to its BSON type: the validator checks presence and type, nothing more.

    `erasure` and `kept` have no default: whoever adds a collection says what becomes of it when somebody is
    forgotten, and how long it is kept: by which setting of `LISTENINGPOST_RETENTION__`, or in words.
    """

    name: str
    owner: Owner
    erasure: Forgets | NothingOfPeople
    kept: str
    required: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    indexes: tuple[Index, ...] = ()
    #: False for what is of this database and the processes on it, and would be wrong in another.
    backed_up: bool = True


ATTACHMENTS = CollectionSpec(
    "attachments.files",
    "ingest",
    Forgets("ingest", "a content goes with the last piece that shows it"),
    kept="as long as a piece shows them",
    indexes=(
        Index("by_content", (("metadata.sha256", 1),)),
        Index("by_feedback", (("metadata.feedback_ids", 1),)),
        Index("dropped", (("metadata.dropped", 1),), where=(("metadata.dropped", True),)),
    ),
)
ATTACHMENT_CHUNKS = CollectionSpec(
    "attachments.chunks",
    "ingest",
    Forgets("ingest", "as attachments.files"),
    kept="as long as a piece shows them",
)
CONTRIBUTORS = CollectionSpec(
    "contributors",
    "ingest",
    Forgets("ingest", "the row goes"),
    kept="contributors_days",
    required=(("sealed", "binData"), ("codename", "string")),
)
IDEMPOTENCY = CollectionSpec(
    "idempotency",
    "ingest",
    NothingOfPeople("hashes of requests, and answers that hold ids; gone after a day"),
    kept="a day",
    required=(("body_hash", "string"), ("expires_at", "date")),
    indexes=(Index("expires", (("expires_at", 1),), expire_after_s=0),),
)
IMPORTS = CollectionSpec(
    "imports",
    "ingest",
    NothingOfPeople("how far each file is; refused rows are in files of whoever imports"),
    kept="imports_days",
    required=(("source", "string"), ("file_name", "string"), ("rows_done", ("int", "long"))),
    indexes=(Index("newest", (("updated_at", -1),)),),
)
QUARANTINE = CollectionSpec(
    "quarantine",
    "ingest",
    Forgets("ingest", "what holds one of their addresses goes"),
    kept="quarantine_days",
    required=(("channel", "string"), ("reason", "string"), ("received_at", "date")),
    indexes=(
        Index("newest", (("received_at", -1),)),
        Index("by_reason", (("reason", 1), ("received_at", -1))),
    ),
)
FEEDBACK = CollectionSpec(
    "feedback",
    "classifier",
    Forgets("classifier", "the piece becomes a tombstone: no text, no people, no tags"),
    kept="feedback_days",
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
        # Nobody anonymous is ever looked for, and they cost nothing.
        Index(
            "by_speaker",
            (("reported_by.person_id", 1), ("received_at", -1)),
            where=(("reported_by.person_id", {"$lt": ids.ANONYMOUS}),),
        ),
        # Few pieces are told for somebody else, and the others cost nothing.
        Index(
            "by_spoken_for",
            (("spoken_for.person_id", 1), ("received_at", -1)),
            where=(("spoken_for.person_id", {"$gt": ""}),),
        ),
        # So are those of old pieces that were let go of.
        Index("anonymised", (("anonymised_at", 1),), where=(("anonymised_at", {"$exists": True}),)),
        Index("expired", (("expired_at", 1),), where=(("expired_at", {"$exists": True}),)),
        # Most pieces come with no import, and cost it nothing.
        Index("by_batch", (("batch", 1), ("classified_at", 1)), where=(("batch", {"$gt": ""}),)),
        # A ticket that is deleted takes its comments along; no other channel asks for a thread.
        Index("by_thread", (("thread_id", 1),), where=(("channel", "zendesk"),)),
    ),
)
DELIVERIES = CollectionSpec(
    "deliveries",
    "notifier",
    Forgets("notifier", "rows stay, without what they said and without the address of whoever spoke"),
    kept="deliveries_days",
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
        Index("held", (("received_at", -1),), where=(("state", "held"),)),
        Index("by_feedback", (("feedback_id", 1),)),
    ),
)
BUCKETS = CollectionSpec(
    "buckets",
    "notifier",
    NothingOfPeople("counts and times of imports"),
    kept="90 days",
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
    Forgets("ingest", "contacts go from every version, colleagues who left lose name and addresses"),
    kept="directory_days",
    required=(("version", ("int", "long")), ("author", "string"), ("applied_at", "date")),
)
ARRIVALS = CollectionSpec(
    "arrivals",
    "ingest",
    NothingOfPeople("when something last came from a system, and how long it is used to being silent"),
    kept="90 days",
    required=(("channel", "string"), ("source", "string"), ("heard_at", "date")),
    indexes=(Index("gone", (("heard_at", -1),), expire_after_s=90 * 86_400),),
)
API_KEYS = CollectionSpec(
    "api_keys",
    "console",
    NothingOfPeople("keys of systems and colleagues, none of who gives feedback"),
    kept="for ever",
    required=(("hash", "string"), ("scopes", "array"), ("created_at", "date")),
)
LOGINS = CollectionSpec(
    "logins",
    "console",
    NothingOfPeople("whether the first administrator has come in, and when"),
    kept="for ever",
    required=(("invitation", "string"), ("expires_at", "date")),
)
ERASURES = CollectionSpec(
    "erasures",
    "shared",
    NothingOfPeople("keyed hashes; ids until no topic holds anything any more"),
    kept="for ever",
    required=(("marks", "array"), ("asked_at", "date")),
    indexes=(Index("changed", (("changed_at", -1),)),),
)
FENCES = CollectionSpec(
    "fences",
    "shared",
    NothingOfPeople("when a backup was restored, and of when it was"),
    kept="for ever",
    backed_up=False,
)
MIGRATIONS = CollectionSpec("migrations", "shared", NothingOfPeople("numbers of migrations"), kept="for ever")
LEASES = CollectionSpec(
    "leases",
    "shared",
    NothingOfPeople("names of tasks, and who has them"),
    kept="for ever",
    backed_up=False,
)

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
    ARRIVALS,
    API_KEYS,
    LOGINS,
    ERASURES,
    FENCES,
    MIGRATIONS,
    LEASES,
)
