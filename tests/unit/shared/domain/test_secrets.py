"""Secrets are references: where one belongs no value is taken, in whichever field, and none is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from shared.domain.advice import secrets_named
from shared.domain.declaration import InvalidDeclaration, read_workspace
from shared.domain.route import ReceiverSpec
from shared.domain.webhook import Verification
from shared.domain.workspace import Workspace, faults
from shared.domain.yaml_text import write_workspace
from tests.support.company import COMPANY

_SECRET = re.compile(r"secret|token|password|passphrase|credential|(^|_)key($|_)")
VALUES = ["hunter2", "whsec_c2VjcmV0", "secret:", "secret:Upper", "secret:a b", "secret:x\n", " secret:x"]


def models(kind: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - an annotation
    """Every model that can be in a workspace."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            if field.annotation is not None and kind not in get_args(field.annotation):
                yield from models(field.annotation)
    for inner in get_args(kind):
        yield from models(inner)


BEARING = sorted(
    {
        (model.__name__, name)
        for model in models(Workspace)
        for name in model.model_fields
        if _SECRET.search(name)
    }
)


def test_these_fields_bear_a_secret() -> None:
    """A new one comes here, with the pattern of a reference and a place in `secrets_named`."""
    assert BEARING == [
        ("ReceiverSpec", "secret"),
        ("Verification", "previous_secret"),
        ("Verification", "secret"),
    ]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_refused_where_a_reference_belongs(value: str) -> None:
    ReceiverSpec.model_validate({"id": "crm", "kind": "webhook", "secret": "secret:crm_webhook"})
    with pytest.raises(ValidationError):
        ReceiverSpec.model_validate({"id": "crm", "kind": "webhook", "secret": value})
    for name in ("secret", "previous_secret"):
        with pytest.raises(ValidationError):
            Verification.model_validate({"scheme": "token", "secret": "secret:hook", name: value})


def test_the_fault_says_what_to_write_and_not_what_was_written() -> None:
    text = write_workspace(workspace()).replace("secret:crm", "hunter2")
    with pytest.raises(InvalidDeclaration) as caught:
        read_workspace(text)
    (flaw,) = caught.value.flaws
    assert "hunter2" not in f"{flaw.message} {flaw.remedy} {caught.value}"
    assert "secret:name" in flaw.remedy


@pytest.mark.parametrize("url", ["https://me:hunter2@crm.example/in", "https://hunter2@crm.example/in"])
def test_a_password_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    (fault,) = faults(workspace(url))
    assert fault.path == ("receivers", 1, "url")
    assert "hunter2" not in f"{fault.message} {fault.remedy}"


def test_every_reference_is_named_once() -> None:
    verify = {"scheme": "token", "secret": "secret:hook", "previous_secret": "secret:crm"}
    webhook = {"id": "hook", "source": "shop", "verify": verify, "map": {"text": "text"}}
    declared = Workspace.model_validate({**workspace().model_dump(by_alias=True), "webhooks": [webhook]})
    assert secrets_named(declared) == ("secret:crm", "secret:hook")


def workspace(url: str = "https://crm.example/in") -> Workspace:
    hook = {"kind": "webhook", "url": url, "secret": "secret:crm"}
    receivers = [{"id": "people", "kind": "people"}, {"id": "crm", **hook}]
    return Workspace.model_validate({**COMPANY, "receivers": receivers})
