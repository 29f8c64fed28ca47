"""What other releases store is read: what an earlier one wrote, and what the next one may add to it.

`tests/contract/documents` has documents as a release has written them, `collection.variant.json`, in Extended
JSON. A file is never changed to make a test pass: such documents are in databases and backups. They
pass this release's validators, since both releases write while one takes the other's place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from bson import json_util
from pydantic import SecretStr

from shared import clock, ids
from shared.domain.bucket import Bucket
from shared.events.feedback import Mode
from shared.settings import MongoSettings
from shared.store import owners
from shared.store.api_keys import ApiKeyStore
from shared.store.arrivals import ArrivalStore
from shared.store.attachments import AttachmentStore
from shared.store.buckets import BucketStore
from shared.store.connection import Document, Store
from shared.store.contributors import ContributorStore
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore
from shared.store.erasures import ErasureStore
from shared.store.feedback import FeedbackStore
from shared.store.fence import FenceStore
from shared.store.held import Which
from shared.store.idempotency import _entry as idempotency_from
from shared.store.imports import ImportStore
from shared.store.leases import LeaseStore
from shared.store.logins import LoginStore
from shared.store.migrations import Migration, Migrator, examine
from shared.store.owners import COLLECTIONS
from shared.store.pending import PendingStore
from shared.store.quarantine import QuarantineStore
from tests.support.session import MongoAddress

pytestmark = pytest.mark.asyncio(loop_scope="module")
_FOLDER = Path(__file__).parents[1] / "contract" / "documents"
_FILES = sorted(_FOLDER.glob("*.json"))
_NEWER = "word-of-a-newer-release"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPTIONS = json_util.JSONOptions(tz_aware=True)

Read = Callable[[Store, Document], Awaitable[object]]
recorded = pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(mongo_server: MongoAddress) -> AsyncIterator[Store]:
    """One for all: each test leaves nothing in it that another looks at."""
    settings = MongoSettings(uri=SecretStr(mongo_server.uri), database=f"releases-{ids.fresh_id()}")
    store = Store(settings)
    await store.start()
    await Migrator(store).start()
    yield store
    await store.db.client.drop_database(settings.database)
    await store.stop()


def read(path: Path) -> Document:
    document: Document = json_util.loads(path.read_text(encoding="utf-8"), json_options=_OPTIONS)
    return document


def collection_of(path: Path) -> str:
    return path.stem.rpartition(".")[0]


async def _feedback(store: Store, document: Document) -> object:
    pieces, ids = FeedbackStore(store), [document["_id"]]
    run = Bucket(
        key="batch",
        batch=document.get("batch"),
        channel=document["channel"],
        source=document["source"],
        modes=tuple(Mode),
        run=1,
        level=0,
        first_at=_EPOCH,
        last_at=clock.now(),
        received_from=_EPOCH,
        old_before=_EPOCH,
        opened_at=_EPOCH,
        touched_at=_EPOCH,
        held_until=clock.now(),
    )
    speakers = [document[name] for name in ("reported_by", "spoken_for") if name in document]
    people = [speaker["person_id"] for speaker in speakers]
    return (
        await pieces.get(ids),
        await pieces.heads(ids),
        await pieces.groups(run),
        await pieces.samples(run),
        await pieces.live_of(run),
        await pieces.weighed(_EPOCH),
        await pieces.of_people(people),
        [each async for each in pieces.identities()],
        await pieces.with_names(clock.now(), 10),
        await pieces.said_in(document["channel"], document["source"], document.get("thread_id", "")),
        await pieces.let_go_since(_EPOCH),
    )


async def _deliveries(store: Store, document: Document) -> object:
    ledger, piece = DeliveryStore(store), document["feedback_id"]
    return (
        await ledger.of_pieces([piece]),
        await ledger.by_ids([document["_id"]]),
        await ledger.history(piece),
        await ledger.told_of([piece]),
        await ledger.backlog(),
        await ledger.held.newest(Which(), 10),
        await ledger.held.sorts(Which()),
        await ledger.held.count(),
        [claimed.delivery for claimed in await ledger.claim_expired(10, clock.now(), document["due_at"])],
        [claimed.delivery.id for claimed in await ledger.claim_due(10, clock.now(), document["due_at"])],
    )


async def _attachments(store: Store, _: Document) -> object:
    for name in _TOGETHER:
        if not await store.collection(name).count_documents({}):
            await store.collection(name).insert_one(read(_FOLDER / f"{name}.full.json"))
    sha256 = read(_FOLDER / f"{owners.ATTACHMENTS.name}.full.json")["metadata"]["sha256"]
    return await AttachmentStore(store).read(sha256)


async def _directory(store: Store, document: Document) -> object:
    if document["_id"] == "current":
        version = {**read(_FOLDER / "directory.version.json"), "_id": document["document"]}
        await store.collection("directory").insert_one(version)
    elif "workspace" in document:
        pointer = {**read(_FOLDER / "directory.pointer.json"), "document": document["_id"]}
        await store.collection("directory").insert_one(pointer)
    versions = DirectoryStore(store)
    in_force = await versions.in_force()
    return in_force and in_force.workspace, await versions.entries(), await versions.mark()


async def _erasures(store: Store, document: Document) -> object:
    erasures = ErasureStore(store)
    waiting = await PendingStore(store, "erasures").waiting()
    return await erasures.entries(), await erasures.get(document["_id"]), waiting, await erasures.mark()


async def _migrations(store: Store, document: Document) -> object:
    async def run(_: object) -> None:
        raise AssertionError

    return (await examine(store, (Migration(document["_id"], "a change", run),)))[-1]


async def _contributors(store: Store, document: Document) -> object:
    contributors = ContributorStore(store)
    return await contributors.sealed(document["_id"]), await contributors.confidential([document["_id"]])


async def _idempotency(store: Store, document: Document) -> object:
    found = await store.collection("idempotency").find_one({"_id": document["_id"]})
    return found and idempotency_from(found)


async def _imports(store: Store, document: Document) -> object:
    imports = ImportStore(store)
    return await imports.get(document["_id"]), await imports.newest()


async def _quarantine(store: Store, document: Document) -> object:
    quarantine = QuarantineStore(store)
    return await quarantine.search(), await quarantine.get(document["_id"])


#: Everything that reads documents of a collection; what it returns is the same for the same document.
READERS: dict[str, Read] = {
    "attachments.files": _attachments,
    "attachments.chunks": _attachments,
    "contributors": _contributors,
    "idempotency": _idempotency,
    "imports": _imports,
    "quarantine": _quarantine,
    "feedback": _feedback,
    "deliveries": _deliveries,
    "buckets": lambda store, _: BucketStore(store).open(),
    "directory": _directory,
    "arrivals": lambda store, _: ArrivalStore(store).sources(),
    "api_keys": lambda store, _: ApiKeyStore(store).list(),
    "logins": lambda store, _: LoginStore(store).invite(clock.now()),
    "erasures": _erasures,
    "fences": lambda store, _: FenceStore(store).get(),
    "migrations": _migrations,
    "leases": lambda store, document: LeaseStore(store).holder(document["_id"]),
}
#: A content is in both of them.
_TOGETHER = (owners.ATTACHMENTS.name, owners.ATTACHMENT_CHUNKS.name)
#: Keys of these are names, not fields: what is added there is one more of them. Or they are conditions, which
#: go with what they are a condition of: tests/unit/shared/store/test_directory_newer.py. `*` is any place.
_MAPS = {
    "arrivals": {"longest"},
    "directory": {
        f"{place}.{path}"
        for place in ("workspace", "declared")
        for path in (
            "webhooks.*.map",
            "webhooks.*.verify",
            "cloudevents.*",
            "cloudevents.*.map",
            "personas.*.rules.*",
            "segments.*.rules.*",
            "segments.*.rules.*.yearly_value",
        )
    },
    "erasures": {"parts", "parts.ingest.counts", "pending_events.*.event"},
    "feedback": {"tags.weight.parts"},
    "imports": {"mapping"},
}


async def test_every_collection_is_recorded_and_read() -> None:
    declared = {spec.name for spec in COLLECTIONS}
    assert set(READERS) == declared
    assert {collection_of(path) for path in _FILES} == declared


@recorded
async def test_a_document_of_an_earlier_release_passes_the_validators_and_is_read(
    store: Store, path: Path
) -> None:
    assert await _read_as(store, path, read(path)) is not None


@recorded
async def test_fields_of_a_newer_release_are_passed_over(store: Store, path: Path) -> None:
    document = read(path)
    plain = await _read_as(store, path, document)
    with_more = deepcopy(document)
    assert _add_fields(with_more, _MAPS.get(collection_of(path), set()))
    assert repr(await _read_as(store, path, with_more)) == repr(plain)


@recorded
async def test_words_of_a_newer_release_are_read(store: Store, path: Path) -> None:
    """Each text in turn, whether or not it is from a closed list: so none of those can be forgotten."""
    for place in _texts(read(path)):
        changed = read(path)
        _set(changed, place, _NEWER)
        try:
            await _read_as(store, path, changed)
        except Exception as error:
            error.add_note(f"in {path.stem}, at {'.'.join(map(str, place))}")
            raise


async def _read_as(store: Store, path: Path, document: Document) -> object:
    """What is read where the database holds nothing but this, which has to pass the validators."""
    name = collection_of(path)
    for together in (name, *(_TOGETHER if name in _TOGETHER else ())):
        await store.collection(together).delete_many({})
    await store.collection(name).insert_one(document)
    return await READERS[name](store, document)


def _add_fields(tree: Any, maps: set[str], path: str = "") -> int:  # noqa: ANN401 - any part of a document
    """How many documents in it have one more field now."""
    added = 0
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in list(children):
        step = "*" if isinstance(tree, list) else str(name)
        added += _add_fields(value, maps, f"{path}.{step}" if path else step)
    if isinstance(tree, dict) and path not in maps:
        tree["of_a_newer_release"] = {"said": [_NEWER]}
        added += 1
    return added


def _texts(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    """Where there is one, but for the id of the document."""
    if isinstance(tree, str) and path != ("_id",):
        yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in children:
        yield from _texts(value, (*path, name))


def _set(tree: Any, path: tuple[str | int, ...], value: str) -> None:  # noqa: ANN401
    for step in path[:-1]:
        tree = tree[step]
    tree[path[-1]] = value
