"""Values that the shell offers with Tab: from the declarations, or from the stack while it answers at once.

Whoever waits for a Tab waits for nothing else: what takes longer than `_WITHIN_S` offers nothing, silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from deploy.cli.settings import environment
from shared.errors import ListeningPostError
from shared.events.topics import TOPICS

if TYPE_CHECKING:
    from shared.domain.workspace import Workspace
    from shared.store.connection import Store

_WITHIN_S = 0.3
_MOST = 50
#: A value and what the shell shows beside it.
Offered = tuple[str, str]


def topics(incomplete: str) -> list[str]:
    """Names of our topics: nobody has to be asked for them."""
    return [topic.name for topic in TOPICS if topic.name.startswith(incomplete)]


def touchpoints(incomplete: str) -> list[Offered]:
    """Ids of the directory in force, with their names."""

    def of(workspace: Workspace) -> list[Offered]:
        return [(one.id, one.name) for product in workspace.products for one in product.touchpoints]

    return _beginning(incomplete, _ask(lambda store: _workspace(store, of)))


def people(incomplete: str) -> list[Offered]:
    """Ids of colleagues, with their names."""

    def of(workspace: Workspace) -> list[Offered]:
        return [(person.id, person.name) for person in workspace.people]

    return _beginning(incomplete, _ask(lambda store: _workspace(store, of)))


def addresses(incomplete: str) -> list[Offered]:
    """Mail addresses the directory knows, with whose they are."""

    def of(workspace: Workspace) -> list[Offered]:
        own = [(email, person.name) for person in workspace.people for email in person.emails]
        contacts = (contact for account in workspace.accounts for contact in account.contacts)
        return own + [(contact.email, contact.name) for contact in contacts]

    return _beginning(incomplete, _ask(lambda store: _workspace(store, of)))


def feedback_ids(incomplete: str) -> list[Offered]:
    """Ids of pieces that begin so; the newest, while nothing is typed."""

    async def of(store: Store) -> list[Offered]:
        from shared.store.feedback import FeedbackStore  # noqa: PLC0415 - the driver takes a while to load

        return [(piece, "") for piece in await FeedbackStore(store).beginning(incomplete, _MOST)]

    return _ask(of)


async def _workspace(store: Store, of: Callable[[Workspace], list[Offered]]) -> list[Offered]:
    from shared.store.directory import DirectoryStore  # noqa: PLC0415 - as above

    current = await DirectoryStore(store).in_force()
    return of(current.workspace) if current is not None else []


def _beginning(incomplete: str, offered: list[Offered]) -> list[Offered]:
    return [(value, help_) for value, help_ in offered if value.startswith(incomplete)]


def _ask(question: Callable[[Store], Awaitable[list[Offered]]]) -> list[Offered]:
    """What the store answers in time, else nothing: a complaint would land in the line somebody types."""
    try:
        return asyncio.run(_answer(question))
    except (ListeningPostError, TimeoutError, OSError):
        return []


async def _answer(question: Callable[[Store], Awaitable[list[Offered]]]) -> list[Offered]:
    # All of it before the clock starts: loading the driver is not the database's fault.
    import shared.store.directory  # noqa: PLC0415 - as above
    import shared.store.feedback  # noqa: F401, PLC0415 - as above
    from shared.settings import CommonSettings, load  # noqa: PLC0415 - as above
    from shared.store.connection import Store  # noqa: PLC0415 - as above

    mongo = load(CommonSettings, environment()).mongo
    # The driver's threads give up by themselves: the command could not end before them.
    within_ms = int(_WITHIN_S * 1000)
    store = Store(mongo.model_copy(update={"server_selection_timeout_ms": within_ms}))
    try:
        async with asyncio.timeout(_WITHIN_S):
            await store.start()
            return await question(store)
    finally:
        await store.stop()
