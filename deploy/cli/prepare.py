"""What a fresh stack needs before its services start: collections, topics, a workspace, keys."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from deploy.cli import connect
from deploy.embedded.stack import EmbeddedStack
from shared import clock
from shared.bus.admin import ensure_topics
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.settings import CommonSettings, KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.directory import DirectoryStore
from shared.store.migrations import Migrator


@dataclass(frozen=True, slots=True)
class Tokens:
    """API keys, shown this once: one that may send, one that may also bring what is old."""

    write: str
    bring: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """`workspace` is what is in force. Without `tokens` there were keys already."""

    workspace: Workspace
    tokens: Tokens | None


def settings_of(stack: EmbeddedStack) -> CommonSettings:
    """What the services of this stack are told."""
    return CommonSettings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka_bootstrap, idempotence=stack.kafka is not None),
        mongo=MongoSettings(uri=SecretStr(stack.mongo_uri), database=stack.database),
    )


async def prepare(settings: CommonSettings, workspace: Workspace, author: str, *, has_keys: bool) -> Prepared:
    """The stack is ready for its services. What a database from before holds (workspace, keys) stays."""
    await ensure_topics(settings.kafka)
    async with connect.store(settings) as store:
        await Migrator(store).start()
        directory = DirectoryStore(store)
        kept = await directory.current()
        if kept is None:
            await directory.propose(workspace, author, expected=0, now=clock.now())
        in_force = workspace if kept is None else kept.workspace
        if has_keys:
            return Prepared(in_force, None)
        keys, now = ApiKeyStore(store), clock.now()
        _, write = await keys.create("portal", [Scope.WRITE, Scope.NOTES], now=now, created_by=author)
        _, bring = await keys.create("old tool", [Scope.IMPORT], now=now, created_by=author)
    return Prepared(in_force, Tokens(write, bring))
