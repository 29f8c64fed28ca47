"""The services of a house are told of the company that lives in it, not of the example's."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.cli.doors import somebody
from deploy.cli.workspace_file import example
from deploy.demo.doors.mail import AUTHSERV_ID, CONFIDENTIAL, FEEDBACK
from deploy.demo.settings import addresses
from services.ingest.settings import IngestSettings, MailSettings
from services.notifier.settings import NotifierSettings
from shared.domain.declaration import read_workspace
from shared.domain.workspace import Workspace
from shared.settings import load

EXAMPLE = read_workspace(example())


def heard(env: Mapping[str, str]) -> MailSettings:
    return load(IngestSettings, env).ingest.mail


def with_domains(*domains: str) -> Workspace:
    return EXAMPLE.model_copy(update={"domains": domains})


def test_the_demo_writes_to_the_addresses_at_which_its_company_hears() -> None:
    mail = heard(addresses(EXAMPLE))
    assert [box.address for box in mail.mailboxes] == [FEEDBACK, CONFIDENTIAL]
    assert [box.confidential for box in mail.mailboxes] == [False, True]
    assert mail.authserv_id == AUTHSERV_ID


def test_another_company_hears_at_its_own_first_domain() -> None:
    mail = heard(addresses(with_domains("wheels.example", "wheels-group.example")))
    assert [box.address for box in mail.mailboxes] == [
        "feedback@wheels.example",
        "in-confidence@wheels.example",
    ]
    assert mail.authserv_id == "mx.wheels.example"


def test_a_company_without_a_domain_hears_all_the_same() -> None:
    assert heard(addresses(with_domains())).mailboxes


def test_whoever_answers_a_notice_is_heard() -> None:
    env = addresses(with_domains("wheels.example"))
    sender = load(NotifierSettings, env).notifier.email.sender
    assert sender == f"Listening Post <{heard(env).mailboxes[0].address}>"


def test_the_example_of_a_mail_is_from_one_of_their_customers() -> None:
    assert somebody(EXAMPLE) == EXAMPLE.accounts[0].contacts[0].email
    assert somebody(EXAMPLE.model_copy(update={"accounts": ()})) == "ada@customer.example"
