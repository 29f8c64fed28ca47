"""By which receivers somebody is reached, in order: the first, then what is tried when it fails for good."""

from __future__ import annotations

from shared.domain.delivery import Target
from shared.domain.person import Person
from shared.domain.route import ReceiverKind, ReceiverSpec


def chain_to_person(person: Person, via: tuple[ReceiverKind, ...]) -> tuple[Target, ...]:
    """The person's first address for each of `via`; for somebody who has none of those, any address there is.

    Empty for a person without addresses.
    """
    addresses = {ReceiverKind.EMAIL: person.emails, ReceiverKind.SLACK: person.slack_ids}
    wished = tuple(
        Target(kind.value, addresses[kind][0]) for kind in dict.fromkeys(via) if addresses.get(kind)
    )
    if wished:
        return wished
    return tuple(Target(kind.value, found[0]) for kind, found in addresses.items() if found)


def chain_to_place(receiver: ReceiverSpec) -> tuple[Target, ...]:
    """The one target of a fixed place; empty for one that was declared without an address."""
    if receiver.kind is ReceiverKind.WEBHOOK:
        return (Target("webhook", str(receiver.url), secret=receiver.secret),) if receiver.url else ()
    return (Target(receiver.kind.value, receiver.address),) if receiver.address else ()
