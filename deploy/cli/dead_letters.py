"""`listeningpost dead-letters`: nothing is lost silently, so here it is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli.letters import (
    ReasonOption,
    SinceOption,
    TopicOption,
    UntilOption,
    choose,
    chosen,
    counts,
)
from deploy.cli.output import ExitCode, Failed, Json, examples, pairs, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared.bus.dead_letters import DeadLetter
from shared.events.hook import HookUnmapped
from shared.events.topics import UNMAPPED

_MOST_ROWS = 50


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost dead-letters",
        "listeningpost dead-letters --reason malformed --since 2h",
        "listeningpost dead-letters show feedback.received.v1.dlq/0/17",
    )
    app.command("dead-letters", epilog=examples(*lines))(dead_letters)


def dead_letters(
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[show] [POSITION]", help="Show this one whole, with what it holds."),
    ] = None,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: Json = False,
) -> None:
    """What could not be processed, and why.

    Those that `listeningpost replay` has put back are not listed any more. Topics keep them for seven days.
    """
    position = _position(words or [])
    wanted = choose(position.partition("/")[0] if position else topic, reason, since, until)
    if position is not None:
        wanted = replace(wanted, replayed=True)
    letters = asyncio.run(chosen(settings().kafka, wanted))
    if position is not None:
        _show_one(letters, position, as_json=as_json)
    elif as_json:
        for letter in letters:
            print_json(_as_json(letter), indent=None)
    elif not letters:
        remarks().print("There are no dead letters.")
    else:
        _show_list(letters)


def _position(words: list[str]) -> str | None:
    """Of the one to be shown, with or without the word `show`; None for the list."""
    position = words[1:] if words[:1] == ["show"] else words
    if len(position) > 1 or (words and not position):
        raise Failed("which dead letter is to be shown?", "give one position", ExitCode.USAGE)
    return position[0] if position else None


def _show_list(letters: list[DeadLetter]) -> None:
    newest = sorted(
        letters, key=lambda letter: (letter.failed_at is not None, letter.failed_at), reverse=True
    )
    rows = [
        (
            letter.position,
            f"{letter.failed_at:%Y-%m-%d %H:%M:%S}" if letter.failed_at else "-",
            letter.reason,
            letter.service,
            letter.error,
        )
        for letter in newest[:_MOST_ROWS]
    ]
    console = results()
    console.print(table(("position", "failed", "reason", "service", "error"), rows))
    if len(letters) > _MOST_ROWS:
        remarks().print(f"the newest {_MOST_ROWS} of {len(letters)}; --json shows all")
    console.print()
    console.print(
        table(("topic", "reason", "count"), [(t, r, str(count)) for t, r, count in counts(letters)])
    )
    remarks().print(
        Text("When the cause is mended: listeningpost replay --reason … puts them back.", style="dim")
    )


def _show_one(letters: list[DeadLetter], position: str, *, as_json: bool) -> None:
    letter = next((letter for letter in letters if letter.position == position), None)
    if letter is None:
        raise Failed(
            f"there is no dead letter {position!r}", "`listeningpost dead-letters` shows their positions"
        )
    _, value, _ = letter.record
    content = _content(value)
    if as_json:
        print_json({**_as_json(letter), "content": content})
        return
    console = results()
    facts = {name: str(fact) for name, fact in _as_json(letter).items() if fact is not None}
    console.print(pairs(facts))
    console.print()
    if letter.origin_topic == UNMAPPED.name and isinstance(content, dict):
        # What somebody mends a mapping by is the request, not the event it is kept in.
        console.print(pairs(_headers(content)))
        console.print()
        content = _body(content)
    console.print(
        Text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2))
    )


def _headers(content: dict[str, object]) -> dict[str, str]:
    headers = content.get("headers")
    told = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    return {"webhook": str(content.get("hook")), **told}


def _body(content: dict[str, object]) -> object:
    """Of the request, as it came in. It goes back to the mapping as a whole, or only some of its items."""
    try:
        return _content(HookUnmapped.model_validate(content).raw)
    except ValueError:
        return content


def _content(value: bytes | None) -> object:
    """What it holds: as JSON where it is JSON, else as text in which every byte can be seen."""
    text = (value or b"").decode("utf-8", "backslashreplace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _as_json(letter: DeadLetter) -> dict[str, object]:
    return {
        "position": letter.position,
        "origin": letter.origin,
        "reason": letter.reason,
        "error": letter.error,
        "service": letter.service,
        "failed_at": letter.failed_at,
        "key": letter.key,
        "size_bytes": letter.size_bytes,
    }
