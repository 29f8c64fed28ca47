"""What holds of every command, also of one that is added tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from deploy.cli.main import COMMANDS, build

_PAGE = (Path(__file__).parents[4] / "docs" / "command-line.md").read_text(encoding="utf-8")
#: What they print is for people alone: they run until Ctrl-C, and say how to go on.
_FOR_PEOPLE = frozenset({"demo", "up"})


def leaves() -> Iterator[tuple[str, Any]]:
    """Every command and sub-command that does something, with the words it is called by."""
    for name in COMMANDS:
        yield from _under(name, get_command(build(name)).commands[name])  # type: ignore[attr-defined]


def _under(words: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own
    below = getattr(command, "commands", {})
    if not below or getattr(command, "invoke_without_command", False):
        yield words, command
    for name, lower in below.items():
        yield from _under(f"{words} {name}", lower)


def parents_epilog(words: str) -> str:
    top = words.split(maxsplit=1)[0]
    return get_command(build(top)).commands[top].epilog or ""  # type: ignore[attr-defined]


LEAVES = list(leaves())
each_command = pytest.mark.parametrize(("words", "command"), LEAVES, ids=[words for words, _ in LEAVES])


def test_there_are_sub_commands_among_them() -> None:
    assert {"keys create", "quarantine show", "selftest"} <= {words for words, _ in LEAVES}


@each_command
def test_its_help_shows_examples(words: str, command: Any) -> None:  # noqa: ANN401 - typer's own
    """Its own, or those of the command it belongs to."""
    shown = command.epilog or parents_epilog(words)
    assert "Examples" in shown
    first, *_ = words.split()
    assert re.search(rf"`.*listeningpost {first}\b.*`", shown)
    if " " in words:
        assert f"listeningpost {words}" in shown, "an example of this very sub-command"


@each_command
def test_it_says_what_each_option_is_for(words: str, command: Any) -> None:  # noqa: ANN401 - typer's own
    silent = [one.name for one in command.params if one.name != "help" and not getattr(one, "help", None)]
    assert silent == []


@each_command
def test_what_it_prints_can_be_had_as_json(words: str, command: Any) -> None:  # noqa: ANN401 - typer's own
    options = {option for one in command.params for option in one.opts}
    assert ("--json" in options) is (words not in _FOR_PEOPLE)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_the_command_line_has_it(name: str) -> None:
    assert re.search(rf"^\|.*`{name}\b", _PAGE, re.MULTILINE), f"a row for `{name}` in docs/command-line.md"
