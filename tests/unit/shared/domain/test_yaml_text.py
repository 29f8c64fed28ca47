"""What is exported reads back as the same workspace, whatever is in it, and the same bytes again."""

from __future__ import annotations

import string
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.declaration import InvalidDeclaration, mark, read_declaration, read_workspace
from shared.domain.workspace import Workspace
from shared.domain.yaml_text import write_workspace
from shared.domain.yaml_tree import parse
from tests.support.company import COMPANY, directory

EXAMPLE = read_workspace(
    resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
)
#: What MongoDB can hold; among it everything YAML has a meaning for.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
ODD = st.sampled_from(
    (
        *("yes", "null", "~", "1", "1.0", "1e3", "0x1f", "2027-01-01", "a: b", "- a", "#", "@", "`", "%"),
        *("&a", "*a", "!a", "|", ">", "a, b", "[a]", "{a}", "'", '"', "\\", "=", "<<", "a #b", "a\n\nb\n"),
        *("\x85", "\u2028", "\ufeff", " a", "a ", "\n a", "\ta", "\0", "\U0001f600"),
    )
)
WORDS = ANYTHING | ODD
NAMES = WORDS.map(lambda text: f"n{text}"[:200].strip() or "n")
IDS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)


@st.composite
def workspaces(draw: st.DrawFn) -> Workspace:
    values: dict[str, Any] = {**COMPANY, "name": draw(NAMES)}
    values["competitors"] = draw(st.lists(WORDS, max_size=4))
    texts = {"description": draw(WORDS), "keywords": draw(st.lists(WORDS, max_size=4))}
    touchpoint = {"id": draw(IDS), "name": draw(NAMES), "examples": draw(st.lists(WORDS, max_size=3))}
    stage = {"id": draw(IDS), "name": draw(NAMES), "touchpoints": [{**touchpoint, **texts}]}
    values["products"] = [{"id": draw(IDS), "name": draw(NAMES), "pm": "pia", "stages": [stage], **texts}]
    account: dict[str, Any] = {"id": draw(IDS), "name": draw(NAMES), "tier": draw(WORDS)}
    account["yearly_value"] = draw(st.integers(0, 10**9))
    account["renewal"] = draw(st.none() | st.dates())
    account["contacts"] = [{"email": "a@b.example", "name": draw(NAMES)}]
    values["accounts"] = [account]
    values["segments"] = [{"id": draw(IDS), "name": draw(NAMES), "fit": draw(st.floats(0, 10))}]
    return Workspace.model_validate(values)


@given(workspaces())
@settings(max_examples=60)
def test_every_workspace_reads_back_as_it_was(workspace: Workspace) -> None:
    text = write_workspace(workspace)
    tree = parse(text)
    assert tree.flaws == []
    read = Workspace.model_validate(tree.value)
    assert read == workspace
    assert write_workspace(read) == text


@pytest.mark.parametrize("workspace", [EXAMPLE, directory().workspace], ids=["example", "brightline"])
def test_hand_made_workspaces_read_back_and_give_the_same_bytes(workspace: Workspace) -> None:
    text = write_workspace(workspace)
    assert read_workspace(text) == workspace
    assert write_workspace(read_workspace(text)) == text


@pytest.mark.parametrize("text", ["\n", "two\n\n", "\n\n", "one\n", "\none"])
def test_empty_lines_at_the_end_of_a_text_end_no_document(text: str) -> None:
    workspace = directory().workspace.model_copy(update={"competitors": (text,)})
    written = write_workspace(workspace)
    assert parse(written).flaws == []
    assert Workspace.model_validate(parse(written).value) == workspace


def test_it_can_be_read_and_edited() -> None:
    lines = write_workspace(EXAMPLE, "9-1a2b3c4d").splitlines()
    assert lines[1] == "based_on: 9-1a2b3c4d"
    assert max(map(len, lines)) <= 130
    assert "  - {id: finance, name: Billing & Finance, lens: finance_legal}" in lines
    assert "    renewal: 2027-03-31" in lines
    assert "  - {id: colleagues, kind: people}" in lines, "`via: [email]` is the default"
    keys = [line.partition(":")[0] for line in lines if line[:1].isalpha()]
    assert keys == ["based_on", *(name for name in Workspace.model_fields if name in keys)]


def test_what_it_is_based_on_is_read_and_is_no_part_of_the_workspace() -> None:
    read = read_declaration(write_workspace(EXAMPLE, mark(EXAMPLE, 9)))
    assert read.workspace == EXAMPLE
    assert read.based_on == mark(EXAMPLE, 9)
    assert mark(EXAMPLE, 9) != mark(directory().workspace, 9), "another installation's version 9"


@pytest.mark.parametrize("value", ["9", "[1]", "nine-1a2b3c4d", "0-1a2b3c4d", "9-1A2B3C4D"])
def test_a_mark_that_is_none_is_named_with_its_line(value: str) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        read_declaration(f"name: x\nbased_on: {value}\n")
    (flaw,) = caught.value.flaws
    assert (flaw.spot.line, flaw.remedy) == (2, "leave it as it was exported, or out")
