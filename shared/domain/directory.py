"""The directory: one version of the workspace, indexed for the questions the services ask of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from shared.domain.account import Account, Contact
from shared.domain.journey import Product, Stage, Touchpoint, neighbours
from shared.domain.lens import Lens
from shared.domain.person import Department, Person
from shared.domain.route import ReceiverSpec
from shared.domain.rules import PersonaRules, SegmentRules
from shared.domain.workspace import Workspace


@dataclass(frozen=True)
class Known:
    """What the directory knows of an address: a colleague, or somebody of a customer account, or neither.

    `segment` and `persona` are what account and contact say, else what the rules say; a colleague has none.
    """

    person: Person | None = None
    account: Account | None = None
    contact: Contact | None = None
    segment: str | None = None
    persona: str | None = None


class Directory:
    """Read-only; a change is a new Directory of a higher version."""

    def __init__(self, workspace: Workspace, version: int) -> None:
        self.workspace = workspace
        self.version = version

    @cached_property
    def people(self) -> dict[str, Person]:
        return {person.id: person for person in self.workspace.people}

    @cached_property
    def departments(self) -> dict[str, Department]:
        return {department.id: department for department in self.workspace.departments}

    @cached_property
    def departments_of(self) -> dict[Lens, tuple[str, ...]]:
        """The ids of the departments that look at the customer through a lens; every lens has an entry."""
        declared = self.workspace.departments
        return {lens: tuple(d.id for d in declared if d.lens is lens) for lens in Lens}

    @cached_property
    def department_sizes(self) -> Counter[str]:
        return Counter(person.department for person in self.workspace.people)

    @cached_property
    def products(self) -> dict[str, Product]:
        return {product.id: product for product in self.workspace.products}

    @cached_property
    def touchpoints(self) -> dict[str, Touchpoint]:
        return {t.id: t for product in self.workspace.products for t in product.touchpoints}

    @cached_property
    def product_of(self) -> dict[str, Product]:
        """The product whose journey a touchpoint is on, by touchpoint id."""
        return {t.id: product for product in self.workspace.products for t in product.touchpoints}

    @cached_property
    def stage_of(self) -> dict[str, Stage]:
        """The stage of the journey a touchpoint belongs to, by touchpoint id."""
        stages = (stage for product in self.workspace.products for stage in product.stages)
        return {touchpoint.id: stage for stage in stages for touchpoint in stage.touchpoints}

    @cached_property
    def accounts(self) -> dict[str, Account]:
        return {account.id: account for account in self.workspace.accounts}

    @cached_property
    def segments(self) -> dict[str, str | None]:
        """The segment of every account, by its id: what it says, else what the rules say."""
        rules = self._segment_rules
        return {a.id: a.segment or rules.of_account(a) for a in self.workspace.accounts}

    @cached_property
    def _segment_rules(self) -> SegmentRules:
        return SegmentRules(self.workspace.segments)

    @cached_property
    def _persona_rules(self) -> PersonaRules:
        return PersonaRules(self.workspace.personas)

    @cached_property
    def receivers(self) -> dict[str, ReceiverSpec]:
        return {receiver.id: receiver for receiver in self.workspace.receivers}

    @cached_property
    def _by_email(self) -> dict[str, Known]:
        found = {
            contact.email.lower(): Known(
                account=account,
                contact=contact,
                segment=self.segments[account.id],
                persona=contact.persona or self._persona_rules.of(contact.email, contact.title),
            )
            for account in self.workspace.accounts
            for contact in account.contacts
        }
        found |= {email.lower(): Known(person=p) for p in self.workspace.people for email in p.emails}
        return found

    @cached_property
    def _own_domains(self) -> frozenset[str]:
        return frozenset(domain.lower() for domain in self.workspace.domains)

    @cached_property
    def _by_slack_id(self) -> dict[str, Person]:
        return {slack_id: person for person in self.workspace.people for slack_id in person.slack_ids}

    @cached_property
    def _by_domain(self) -> dict[str, Account]:
        return {domain.lower(): account for account in self.workspace.accounts for domain in account.domains}

    def who_is(self, kind: str, address: str) -> Known:
        """Look up an address of `kind` email or slack, or the id of a `person`.

        Whether it is really theirs, the channel must know.
        """
        if kind == "person":
            return Known(person=self.people.get(address))
        if kind == "slack":
            return Known(person=self._by_slack_id.get(address))
        email = address.strip().lower()
        return self._by_email.get(email) or self._by_rules(email)

    def _by_rules(self, email: str) -> Known:
        """Of an address that is listed nowhere: its domain may be an account's, its name a persona's."""
        domain = _domain(email)
        if not domain or domain in self._own_domains:
            return Known()
        account, persona = self._by_domain.get(domain), self._persona_rules.of(email)
        if account is None:
            return Known(segment=self._segment_rules.of_domain(domain), persona=persona)
        return Known(account=account, segment=self.segments[account.id], persona=persona)

    def is_own_domain(self, email: str) -> bool:
        return _domain(email.lower()) in self._own_domains

    def neighbours(self, touchpoint_id: str) -> tuple[str, ...]:
        """The touchpoints immediately before and after this one on its journey."""
        product = self.product_of.get(touchpoint_id)
        return neighbours(product, touchpoint_id) if product else ()


def _domain(email: str) -> str:
    """Empty for what is no address: somebody's name that looks like a domain is not that domain."""
    _, at, domain = email.rpartition("@")
    return domain if at else ""
