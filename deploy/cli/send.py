"""`listeningpost send`: a piece of feedback from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli import complete
from deploy.cli.door import Attach, Key, Url, attachment, read_file, report, send_to
from deploy.cli.output import ExitCode, Failed, Json, examples
from shared.events.feedback import Mode


def register(app: typer.Typer) -> None:
    lines = (
        'listeningpost send "The new bill is clear at last." --from ada@customer.example',
        "listeningpost send --file complaint.txt --attach screenshot.png --touchpoint bill",
        'echo "Nobody called back." | listeningpost send -',
    )
    app.command("send", epilog=examples(*lines))(send)


def send(  # noqa: PLR0913 - one an option
    *,
    text: Annotated[str | None, typer.Argument(help="What was said; - reads stdin.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file that holds what was said.")] = None,
    attach: Attach = None,
    title: Annotated[str, typer.Option(help="A subject.")] = "",
    sender: Annotated[
        str | None,
        typer.Option(
            "--from", help="The mail address of whoever said it.", autocompletion=complete.addresses
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The name of whoever said it.")] = "",
    touchpoint: Annotated[
        str | None,
        typer.Option(help="Where it belongs, if you know.", autocompletion=complete.touchpoints),
    ] = None,
    rating: Annotated[float | None, typer.Option(min=1, max=5, help="Stars, 1 to 5.")] = None,
    confidential: Annotated[bool, typer.Option("--confidential", help="The name reaches nobody.")] = False,
    mode: Annotated[Mode, typer.Option(help="test leaves it out of every trend.")] = Mode.LIVE,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Send a piece of feedback.

    Exit code 0 when it is kept, 1 when it was refused (it says why), 3 when nobody answered.
    """
    item: dict[str, Any] = {"text": _words(text, file), "mode": mode.value}
    if title:
        item["title"] = title
    if sender or name:
        item["author"] = {"name": name, **({"email": sender} if sender else {})}
    if touchpoint:
        item["touchpoint"] = touchpoint
    if rating is not None:
        item["rating"] = {"value": rating, "min": 1.0, "max": 5.0}
    if confidential:
        item["confidential"] = True
    if attach:
        item["attachments"] = [attachment(path) for path in attach]
    report(send_to("/v1/feedback", item, url=url, key=key, scope="feedback:write"), as_json=as_json)


def _words(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise Failed("text and --file were both given", "give one of them", ExitCode.USAGE)
    if file is not None:
        return read_file(file).decode("utf-8", "replace")
    return sys.stdin.read() if text == "-" else text or ""
