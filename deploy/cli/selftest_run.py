"""The run of a self-test: ask which doors are open, knock at each, see where each piece arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from deploy.cli import connect
from deploy.cli.arrivals import Arrivals, arrivals
from deploy.cli.ask import ask
from deploy.cli.borrowed_key import borrowed, key_for_tests
from deploy.cli.output import Failed
from deploy.cli.selftest_tries import Result, State, Try, tries_at
from deploy.cli.senders import NEEDS, SENDERS
from deploy.cli.senders.knock import Knock
from deploy.cli.settings import CliSettings, environment
from services.ingest.domain.selftest import mark
from services.ingest.settings import IngestSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.events.feedback import FeedbackReceived, Mode
from shared.settings import load
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore

_WORDS = "This is self-test {nonce} of Listening Post. Nobody is told of it."
_SEND_WITHIN_S = 25.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What the door said; `at` and `answered_at` are the event loop's time."""

    nonce: str
    at: float
    answered_at: float
    answer: str = ""
    refused: Failed | None = None


async def run(where: CliSettings, wanted: frozenset[str], within_s: float) -> list[Result]:
    """A result for each wanted door. Raises Failed and DependencyDown when nothing can be tested.

    First ingest is asked, with the token: with another than its own a mark would mean nothing, and the pieces
    would be told to people.
    """
    answer = await ask(where, "ingest", "GET /internal/doors")
    doors: dict[str, dict[str, Any]] = {door["name"]: door for door in answer["doors"]}
    opened = [name for name in SENDERS if name in wanted and doors.get(name, {}).get("open")]
    async with (
        connect.store(where) as store,
        httpx.AsyncClient(base_url=str(where.cli.ingest_url), timeout=_SEND_WITHIN_S) as http,
    ):
        current = await DirectoryStore(store).in_force()
        workspace = current.workspace if current else None
        tries, untested = tries_at(opened, workspace)
        nonces = [each.nonce for each in tries]
        async with (
            arrivals(where, lambda event: _nonce_in(event, nonces)) as seen,
            key_for_tests(where, store, http) as key,
            _keys(opened, store, http) as keys,
        ):
            ingest = load(IngestSettings, environment()).ingest
            host = where.cli.ingest_url.host or ""
            knock = Knock(http, host, key, ingest, "", keys, where.secret, workspace)
            sent = await _knock(where, knock, tries)
            expected = {each.nonce for each, one in zip(tries, sent, strict=True) if one.refused is None}
            await seen.until(lambda: expected <= set(seen.classified) & set(seen.received), within_s)
            tested = [
                await _result(each.label, one, seen, store, within_s)
                for each, one in zip(tries, sent, strict=True)
            ]
    closed = [_closed(name, doors.get(name)) for name in SENDERS if name in wanted - set(opened)]
    return [*tested, *closed, *untested]


@asynccontextmanager
async def _keys(
    opened: Sequence[str], store: Store, http: httpx.AsyncClient
) -> AsyncIterator[dict[Scope, str]]:
    """Made for the doors that ask for a scope of their own, each for that alone, and taken back."""
    async with AsyncExitStack() as stack:
        scopes = {NEEDS[name] for name in opened if name in NEEDS}
        yield {scope: await stack.enter_async_context(borrowed(scope, store, http)) for scope in scopes}


def _nonce_in(event: FeedbackReceived, nonces: Sequence[str]) -> str | None:
    return next((nonce for nonce in nonces if nonce in event.text), None)


async def _knock(where: CliSettings, knock: Knock, tries: Sequence[Try]) -> list[Sent]:
    token = where.internal_token.get_secret_value().encode() if where.internal_token else b""

    async def one(each: Try) -> Sent:
        loop = asyncio.get_running_loop()
        nonce = each.nonce
        text = f"{_WORDS.format(nonce=nonce)} {mark(token, each.channel, clock.now(), nonce)}"
        began = loop.time()
        try:
            said = await SENDERS[each.door](replace(knock, nonce=nonce, hook=each.hook), text)
        except Failed as refused:
            return Sent(nonce, began, loop.time(), refused=refused)
        except httpx.TransportError as error:
            failure = Failed(f"does not answer ({type(error).__name__})", "is ingest running?")
            return Sent(nonce, began, loop.time(), refused=failure)
        return Sent(nonce, began, loop.time(), said)

    # One after the other: what is measured is the way of each, not how they get on together.
    return [await one(each) for each in tries]


async def _result(name: str, sent: Sent, seen: Arrivals, store: Store, within_s: float) -> Result:
    if sent.refused is not None:
        return Result(name, State.FAILED, problem=str(sent.refused), remedy=sent.refused.remedy)
    received, classified = seen.received.get(sent.nonce), seen.classified.get(sent.nonce)
    event = classified.event if classified else received.event if received else None
    problem, remedy = await _wrong(event, store, arrived=classified is not None, within_s=within_s)
    return Result(
        name,
        State.FAILED if problem else State.ARRIVED,
        answer=sent.answer,
        answered_ms=_ms(sent.answered_at - sent.at),
        received=received.position if received else "",
        received_ms=_ms(received.at - sent.at) if received else None,
        classified=classified.position if classified else "",
        classified_ms=_ms(classified.at - sent.at) if classified else None,
        feedback_id=event.feedback_id if event else "",
        problem=problem,
        remedy=remedy,
    )


async def _wrong(
    event: FeedbackReceived | None, store: Store, *, arrived: bool, within_s: float
) -> tuple[str, str]:
    """What is wrong with where it ended, and what to do; two empty strings when nothing is."""
    if event is None:
        aside = "`listeningpost quarantine` and `listeningpost doctor` say more"
        return f"the door took it, and within {within_s:g} s it was not in Kafka", aside
    if not arrived:
        return f"it is in Kafka, and was not classified within {within_s:g} s", "is the classifier running?"
    if event.mode is not Mode.TEST:
        return (
            f"it arrived with the mode {event.mode}: people may be told of it",
            "tell whoever looks after ingest",
        )
    if not await FeedbackStore(store).get([event.feedback_id]):
        return "it was classified and is not stored", "`listeningpost doctor` looks closer"
    if await DeliveryStore(store).of_pieces([event.feedback_id]):
        return "somebody is told of it", f"`listeningpost explain {event.feedback_id}` says who"
    return "", ""


def _closed(name: str, door: Mapping[str, Any] | None) -> Result:
    if door is None:
        return Result(name, State.CLOSED, problem="ingest does not have this door; is it an older release?")
    needs = ", ".join(door["needs"])
    return Result(
        name, State.CLOSED, problem=f"closed: {door['problem']}", remedy=f"set {needs}" if needs else ""
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
