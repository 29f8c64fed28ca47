"""The workspace: everything a company declares about itself, as `listeningpost apply` reads it.

A `Workspace` is a value that has been checked as a whole: every reference resolves, ids and addresses are
unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field

from shared.domain import event_mapping, webhook
from shared.domain.account import Account, Persona, Segment
from shared.domain.entity import Entity, Id, Name, Text
from shared.domain.event_mapping import EventMapping
from shared.domain.journey import Product
from shared.domain.lens import Lens
from shared.domain.matchers import parse_matcher
from shared.domain.person import Department, Person
from shared.domain.route import ReceiverKind, ReceiverSpec, Route
from shared.domain.suggest import did_you_mean
from shared.domain.webhook import Webhook
from shared.errors import InvalidInput, ListeningPostError


class LensWords(Entity):
    """What this company calls things that concern a lens, beside the words the product ships."""

    id: Lens
    description: Text = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class Workspace(Entity):
    name: Name
    domains: tuple[str, ...] = Field(default=(), description="our own mail domains")
    triage_owner: Id
    competitors: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    departments: tuple[Department, ...] = ()
    people: tuple[Person, ...] = ()
    products: tuple[Product, ...] = Field(min_length=1)
    lenses: tuple[LensWords, ...] = ()
    segments: tuple[Segment, ...] = ()
    personas: tuple[Persona, ...] = ()
    accounts: tuple[Account, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    cloudevents: tuple[EventMapping, ...] = ()
    receivers: tuple[ReceiverSpec, ...] = (ReceiverSpec(id="people", kind=ReceiverKind.PEOPLE),)
    route: Route = Route(receiver="people")


class Fault(Entity):
    """What is wrong with a declaration, and what to do. `path` leads to it: ("people", 3, "department")."""

    path: tuple[str | int, ...]
    message: str
    remedy: str = ""


class Unsound(ListeningPostError):
    """A change would leave the workspace with faults; nothing was changed. At least one fault."""

    def __init__(self, found: Iterable[Fault]) -> None:
        self.faults = tuple(found)
        first = self.faults[0]
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{'/'.join(map(str, first.path))}: {first.message}{more}")


Path = tuple[str | int, ...]
#: Where the things that others refer to are declared.
_LISTS = {"person": "people", "department": "departments", "segment": "segments", "persona": "personas"}


def faults(workspace: Workspace) -> tuple[Fault, ...]:
    """Every reference that leads nowhere, every id or address used twice; empty for a sound workspace."""
    return (
        *_duplicates(workspace),
        *_dangling(workspace),
        *_unreachable(workspace),
        *_routing(workspace),
        *_webhooks(workspace),
    )


def _duplicates(workspace: Workspace) -> Iterator[Fault]:
    groups: dict[str, Iterable[tuple[Path, str]]] = {
        "department": _ids("departments", workspace.departments),
        "person": _ids("people", workspace.people),
        "product": _ids("products", workspace.products),
        "segment": _ids("segments", workspace.segments),
        "persona": _ids("personas", workspace.personas),
        "account": _ids("accounts", workspace.accounts),
        "receiver": _ids("receivers", workspace.receivers),
        "webhook": _ids("webhooks", workspace.webhooks),
        "mapping of CloudEvents": _ids("cloudevents", workspace.cloudevents),
        "lens": _ids("lenses", workspace.lenses),
        "touchpoint": _touchpoints(workspace),
        "address": _addresses(workspace),
        "account domain": (
            (("accounts", i, "domains", j), domain.lower())
            for i, account in enumerate(workspace.accounts)
            for j, domain in enumerate(account.domains)
        ),
    }
    for what, entries in groups.items():
        seen: set[str] = set()
        for path, value in entries:
            if value in seen:
                yield Fault(
                    path=path, message=f"the {what} {value!r} is declared twice", remedy="give each its own"
                )
            seen.add(value)


def _ids(
    name: str,
    entities: Iterable[
        Department
        | Person
        | Product
        | Segment
        | Persona
        | Account
        | ReceiverSpec
        | LensWords
        | Webhook
        | EventMapping
    ],
) -> Iterator[tuple[Path, str]]:
    for index, entity in enumerate(entities):
        yield (name, index, "id"), str(entity.id)


def _touchpoints(workspace: Workspace) -> Iterator[tuple[Path, str]]:
    for p, product in enumerate(workspace.products):
        for s, stage in enumerate(product.stages):
            for t, touchpoint in enumerate(stage.touchpoints):
                yield ("products", p, "stages", s, "touchpoints", t, "id"), touchpoint.id


def _addresses(workspace: Workspace) -> Iterator[tuple[Path, str]]:
    for i, person in enumerate(workspace.people):
        for j, email in enumerate(person.emails):
            yield ("people", i, "emails", j), email.lower()
        for j, slack_id in enumerate(person.slack_ids):
            yield ("people", i, "slack_ids", j), slack_id
    for i, account in enumerate(workspace.accounts):
        for j, contact in enumerate(account.contacts):
            yield ("accounts", i, "contacts", j, "email"), contact.email.lower()


def _dangling(workspace: Workspace) -> Iterator[Fault]:
    known = {
        "person": {person.id for person in workspace.people},
        "department": {department.id for department in workspace.departments},
        "segment": {segment.id for segment in workspace.segments},
        "persona": {persona.id for persona in workspace.personas},
    }
    for path, what, value in _references(workspace):
        if value is not None and value not in known[what]:
            yield Fault(
                path=path,
                message=f"no {what} {value!r} is declared",
                remedy=did_you_mean(value, known[what], f"declare it under `{_LISTS[what]}`"),
            )
    for p, product in enumerate(workspace.products):
        own = {touchpoint.id for touchpoint in product.touchpoints}
        for s, stage in enumerate(product.stages):
            for t, touchpoint in enumerate(stage.touchpoints):
                for a, earlier in enumerate(touchpoint.after or ()):
                    here: Path = ("products", p, "stages", s, "touchpoints", t, "after", a)
                    if earlier == touchpoint.id:
                        yield Fault(path=here, message=f"{earlier!r} cannot come after itself")
                    if earlier not in own:
                        yield Fault(
                            path=here,
                            message=f"no touchpoint {earlier!r} in the journey of {product.id!r}",
                            remedy=did_you_mean(earlier, own, "name one of the same product"),
                        )


def _references(workspace: Workspace) -> Iterator[tuple[Path, str, str | None]]:
    yield ("triage_owner",), "person", workspace.triage_owner
    for i, person in enumerate(workspace.people):
        yield ("people", i, "department"), "department", person.department
    for i, account in enumerate(workspace.accounts):
        yield ("accounts", i, "owner"), "person", account.owner
        yield ("accounts", i, "segment"), "segment", account.segment
        for j, contact in enumerate(account.contacts):
            yield ("accounts", i, "contacts", j, "persona"), "persona", contact.persona
    for p, product in enumerate(workspace.products):
        yield ("products", p, "pm"), "person", product.pm
        for s, stage in enumerate(product.stages):
            for t, touchpoint in enumerate(stage.touchpoints):
                here: Path = ("products", p, "stages", s, "touchpoints", t)
                yield (*here, "owner"), "person", touchpoint.owner
                for a, agent in enumerate(touchpoint.agents):
                    yield (*here, "agents", a), "person", agent


def _unreachable(workspace: Workspace) -> Iterator[Fault]:
    """Those who are told when nobody else is must be reachable."""
    without = {person.id for person in workspace.people if not person.emails and not person.slack_ids}
    last_resorts: list[tuple[Path, str]] = [(("triage_owner",), workspace.triage_owner)]
    last_resorts += [(("products", p, "pm"), product.pm) for p, product in enumerate(workspace.products)]
    for path, person in last_resorts:
        if person in without:
            yield Fault(
                path=path,
                message=f"{person!r} has no address, so that nobody would be told",
                remedy="give that person `emails` or `slack_ids`",
            )


def _routing(workspace: Workspace) -> Iterator[Fault]:
    receivers = {receiver.id: receiver for receiver in workspace.receivers}
    for i, receiver in enumerate(workspace.receivers):
        if receiver.kind is ReceiverKind.WEBHOOK and receiver.url is None:
            yield Fault(path=("receivers", i), message="a webhook receiver needs a `url`")
        if receiver.url is not None and (receiver.url.username or receiver.url.password):
            yield Fault(
                path=("receivers", i, "url"),
                message="a `url` is read by everybody, and this one holds a name or password",
                remedy="take it out; requests are signed with `secret`",
            )
        if receiver.kind in {ReceiverKind.EMAIL, ReceiverKind.SLACK} and not receiver.address:
            yield Fault(path=("receivers", i), message=f"a fixed {receiver.kind} receiver needs an `address`")
    if workspace.route.receiver is None:
        yield Fault(
            path=("route",), message="the root route needs a `receiver`, so that somebody is always told"
        )
    if workspace.route.match:
        yield Fault(path=("route", "match"), message="the root route takes everything; give it no `match`")
    yield from _route_faults(("route",), workspace.route, set(receivers))


def _webhooks(workspace: Workspace) -> Iterator[Fault]:
    for i, declared in enumerate(workspace.webhooks):
        for path, message, remedy in webhook.faults(declared):
            yield Fault(path=("webhooks", i, *path), message=message, remedy=remedy)
    for place, (path, message, remedy) in event_mapping.faults(workspace.cloudevents):
        yield Fault(path=("cloudevents", place, *path), message=message, remedy=remedy)


def _route_faults(path: Path, route: Route, receivers: set[str]) -> Iterator[Fault]:
    if route.receiver is not None and route.receiver not in receivers:
        yield Fault(
            path=(*path, "receiver"),
            message=f"no receiver {route.receiver!r} is declared",
            remedy=did_you_mean(route.receiver, receivers, "declare it under `receivers`"),
        )
    for i, matcher in enumerate(route.match):
        try:
            parse_matcher(matcher)
        except InvalidInput as error:
            yield Fault(path=(*path, "match", i), message=error.detail)
    for i, child in enumerate(route.routes):
        yield from _route_faults((*path, "routes", i), child, receivers)
