"""Who is told of a piece, and why: the PM's network, as a pure function of the piece and the directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.directory import Directory
from shared.domain.journey import predecessors
from shared.domain.names import named_people
from shared.events.feedback import FeedbackClassified, Polarity, UrgencyReason


class WhyCode(StrEnum):
    """Why somebody is told. Which of the other fields of `Why` are set depends on it."""

    OWNER = "owner"
    PRODUCT_OWNER = "product_owner"
    TRIAGE = "triage"
    PRAISED = "praised"
    ACCOUNT_OWNER = "account_owner"
    AGENT = "agent"
    AGENT_BEFORE = "agent_before"
    AGENT_AFTER = "agent_after"
    SUBSCRIBER = "subscriber"


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, in ids. `touchpoint` is the one somebody owns or is an agent of.

    `near` is set for the agents of a neighbour: the touchpoint the piece is about, to which theirs is the
    step just before (`agent_before`) or just after.
    """

    code: WhyCode
    touchpoint: str | None = None
    near: str | None = None
    product: str | None = None
    lens: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Involved:
    person_id: str
    whys: tuple[Why, ...]


def involve(piece: FeedbackClassified, directory: Directory) -> tuple[Involved, ...]:
    """Everybody the piece concerns, once each with all reasons; who is responsible comes first.

    There is always somebody, unless the only one left to tell is who said it: nobody is told of their own
    words. The order depends on the piece and the directory alone. Touchpoints the directory does not know
    (any more) are passed over. What a caller must not assume: that everybody has an address.
    """
    own = {piece.reported_by.person_id}
    if piece.spoken_for is not None:
        own.add(piece.spoken_for.person_id)
    whys: dict[str, list[Why]] = {}
    for person_id, why in (*_responsible(piece, directory, own), *_network(piece, directory)):
        if person_id in own or person_id not in directory.people:
            continue
        reasons = whys.setdefault(person_id, [])
        if why not in reasons:
            reasons.append(why)
    return tuple(Involved(person_id, tuple(reasons)) for person_id, reasons in whys.items())


def touchpoints_of(piece: FeedbackClassified, directory: Directory) -> tuple[str, ...]:
    """The piece's touchpoints that exist, the most certain first."""
    ranked = sorted(piece.tags.touchpoints, key=lambda tag: (-tag.score, tag.id))
    return tuple(tag.id for tag in ranked if tag.id in directory.touchpoints)


def products_of(piece: FeedbackClassified, directory: Directory) -> tuple[str, ...]:
    """The piece's products that exist: those tagged, then those of its touchpoints."""
    tagged = (product for product in piece.tags.products if product in directory.products)
    journeys = (directory.product_of[touchpoint].id for touchpoint in touchpoints_of(piece, directory))
    return tuple(dict.fromkeys((*tagged, *journeys)))


def _responsible(piece: FeedbackClassified, directory: Directory, own: set[str]) -> list[tuple[str, Why]]:
    """The owners; where they are the speaker themselves, the next on the ladder that ends at triage."""
    if piece.tags.needs_triage:
        return [*_triage(directory), *_product_managers(piece, directory)]
    found: list[tuple[str, Why]] = []
    for rung in (_owners(piece, directory), _product_managers(piece, directory), _triage(directory)):
        found = list(rung)
        if any(person_id not in own for person_id, _ in found):
            break
    return found


def _owners(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    for touchpoint_id in touchpoints_of(piece, directory):
        owner, product = directory.touchpoints[touchpoint_id].owner, directory.product_of[touchpoint_id]
        if owner is not None:
            yield owner, Why(WhyCode.OWNER, touchpoint=touchpoint_id)
        else:
            yield product.pm, Why(WhyCode.PRODUCT_OWNER, product=product.id)


def _product_managers(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    for product_id in products_of(piece, directory):
        yield directory.products[product_id].pm, Why(WhyCode.PRODUCT_OWNER, product=product_id)


def _triage(directory: Directory) -> Iterator[tuple[str, Why]]:
    yield directory.workspace.triage_owner, Why(WhyCode.TRIAGE)


def _network(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    """Everybody beside the responsible ones, rule by rule."""
    polarity = piece.tags.polarity
    if polarity in {Polarity.KEEP, Polarity.MIXED}:
        for person_id in named_people(f"{piece.title}\n{piece.text}", directory):
            yield person_id, Why(WhyCode.PRAISED)
    yield from _account_owners(piece, directory)
    # Nothing is certain about where a piece in triage belongs, so no agent is bothered with it yet.
    if not piece.tags.needs_triage:
        yield from _agents(piece, directory)
        if polarity in {Polarity.CHANGE, Polarity.MIXED}:
            yield from _agents_nearby(piece, directory)
    yield from _subscribers(piece, directory)


def _account_owners(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    if UrgencyReason.MAY_LEAVE not in piece.tags.urgency_reasons:
        return
    for speaker in (piece.spoken_for, piece.reported_by):
        account = directory.accounts.get(speaker.account or "") if speaker is not None else None
        if account is not None and account.owner is not None:
            yield account.owner, Why(WhyCode.ACCOUNT_OWNER, account=account.id)


def _agents(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    for touchpoint_id in touchpoints_of(piece, directory):
        for agent in directory.touchpoints[touchpoint_id].agents:
            yield agent, Why(WhyCode.AGENT, touchpoint=touchpoint_id)


def _agents_nearby(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    """Of the touchpoints immediately before and after; those the piece is about as well are no neighbours."""
    about = touchpoints_of(piece, directory)
    for touchpoint_id in about:
        earlier = predecessors(directory.product_of[touchpoint_id])[touchpoint_id]
        for neighbour in directory.neighbours(touchpoint_id):
            if neighbour in about:
                continue
            code = WhyCode.AGENT_BEFORE if neighbour in earlier else WhyCode.AGENT_AFTER
            for agent in directory.touchpoints[neighbour].agents:
                yield agent, Why(code, touchpoint=neighbour, near=touchpoint_id)


def _subscribers(piece: FeedbackClassified, directory: Directory) -> Iterator[tuple[str, Why]]:
    scores = {tag.id: tag.score for tag in piece.tags.lenses}
    weight = piece.tags.weight.value
    for person in directory.workspace.people:
        for wish in person.subscriptions:
            if scores.get(wish.lens, -1.0) >= wish.min_score and weight >= wish.min_weight:
                yield person.id, Why(WhyCode.SUBSCRIBER, lens=wish.lens)
