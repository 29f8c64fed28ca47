"""`listeningpost send`: a piece of feedback from the command line."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydantic import HttpUrl, SecretStr
from rich.text import Text

from deploy.cli import complete
from deploy.cli.output import ExitCode, Failed, Json, examples, pairs, print_json, remarks, results
from deploy.cli.settings import settings
from shared import ids
from shared.events.feedback import Mode

_WITHIN_S = 30.0
_KEPT = 202


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
    attach: Annotated[
        list[Path] | None, typer.Option(help="A file to send along; may be given often.")
    ] = None,
    title: Annotated[str, typer.Option(help="A subject.")] = "",
    sender: Annotated[str | None, typer.Option("--from", help="The mail address of whoever said it.")] = None,
    name: Annotated[str, typer.Option(help="The name of whoever said it.")] = "",
    touchpoint: Annotated[
        str | None,
        typer.Option(help="Where it belongs, if you know.", autocompletion=complete.touchpoints),
    ] = None,
    rating: Annotated[float | None, typer.Option(min=1, max=5, help="Stars, 1 to 5.")] = None,
    confidential: Annotated[bool, typer.Option("--confidential", help="The name reaches nobody.")] = False,
    mode: Annotated[Mode, typer.Option(help="test leaves it out of every trend.")] = Mode.LIVE,
    url: Annotated[
        str | None, typer.Option(help="Where ingest is; default: LISTENINGPOST_CLI__INGEST_URL.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The API key; better: LISTENINGPOST_CLI__KEY.")] = None,
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
        item["attachments"] = [_attachment(path) for path in attach]
    where = settings().cli
    answer = _post(HttpUrl(url) if url else where.ingest_url, SecretStr(key) if key else where.key, item)
    _report(answer, as_json=as_json)


def _words(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise Failed("text and --file were both given", "give one of them", ExitCode.USAGE)
    if file is not None:
        return _read(file).decode("utf-8", "replace")
    return sys.stdin.read() if text == "-" else text or ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}", code=ExitCode.USAGE) from None


def _attachment(path: Path) -> dict[str, str]:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"name": path.name, "media_type": media_type, "content": base64.b64encode(_read(path)).decode()}


def _post(url: HttpUrl, key: SecretStr | None, item: dict[str, Any]) -> httpx.Response:
    """With an Idempotency-Key: should the answer get lost, the repetition is no second piece."""
    if key is None:
        raise Failed(
            "there is no API key",
            "`listeningpost keys create me`, then set LISTENINGPOST_CLI__KEY",
            ExitCode.USAGE,
        )
    headers = {"Authorization": f"Bearer {key.get_secret_value()}", "Idempotency-Key": ids.fresh_id()}
    address = f"{str(url).rstrip('/')}/v1/feedback"
    last = ""
    for _ in range(2):
        try:
            return httpx.post(address, json=item, headers=headers, timeout=_WITHIN_S)
        except httpx.TransportError as error:
            last = type(error).__name__
    raise Failed(f"{address} does not answer ({last})", "is ingest running?", ExitCode.UNREACHABLE)


def _report(answer: httpx.Response, *, as_json: bool) -> None:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        body = {"status": answer.status_code, "detail": answer.text[:200]}
    if as_json:
        print_json(body)
    elif isinstance(body, dict):
        warnings = body.pop("warnings", ())
        results().print(Text("✓ kept" if answer.status_code == _KEPT else "✗ refused", style="bold"))
        results().print(pairs({name: str(value) for name, value in body.items()}))
        for warning in warnings:
            said = f"! {warning['pointer'].rpartition('/')[2]}: {warning['detail']}; {warning['remedy']}"
            remarks().print(Text(said, style="yellow"), soft_wrap=True)
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise typer.Exit(ExitCode.UNREACHABLE)
    raise typer.Exit(ExitCode.OK if answer.status_code == _KEPT else ExitCode.FOUND)
