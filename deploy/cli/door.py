"""Sends something to a door of ingest, and says what became of it."""

from __future__ import annotations

import base64
import json
import mimetypes
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydantic import HttpUrl, SecretStr
from rich.text import Text

from deploy.cli.output import ExitCode, Failed, pairs, print_json, remarks, results
from deploy.cli.settings import settings
from shared import ids

Url = Annotated[str | None, typer.Option(help="Where ingest is; default: LISTENINGPOST_CLI__INGEST_URL.")]
Key = Annotated[str | None, typer.Option(help="The API key; better: LISTENINGPOST_CLI__KEY.")]
Attach = Annotated[list[Path] | None, typer.Option(help="A file to send along; may be given often.")]
_WITHIN_S = 30.0
_KEPT = 202


def read_file(path: Path) -> bytes:
    """Raises Failed for one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}", code=ExitCode.USAGE) from None


def attachment(path: Path) -> dict[str, str]:
    """A file as the doors take it. Raises Failed."""
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content = base64.b64encode(read_file(path)).decode()
    return {"name": path.name, "media_type": media_type, "content": content}


def send_to(
    path: str, item: dict[str, Any], *, url: str | None, key: str | None, scope: str
) -> httpx.Response:
    """The answer of the door at `path`. Raises Failed without a key, or when nobody answers.

    It goes with an Idempotency-Key: should the answer get lost, the repetition is no second piece.
    """
    where = settings().cli
    token = SecretStr(key) if key else where.key
    if token is None:
        raise Failed(
            "there is no API key",
            f"`listeningpost keys create me --scope {scope}`, then set LISTENINGPOST_CLI__KEY",
            ExitCode.USAGE,
        )
    headers = {"Authorization": f"Bearer {token.get_secret_value()}", "Idempotency-Key": ids.fresh_id()}
    address = f"{str(HttpUrl(url) if url else where.ingest_url).rstrip('/')}{path}"
    last = ""
    for _ in range(2):
        try:
            return httpx.post(address, json=item, headers=headers, timeout=_WITHIN_S)
        except httpx.TransportError as error:
            last = type(error).__name__
    raise Failed(f"{address} does not answer ({last})", "is ingest running?", ExitCode.UNREACHABLE)


def report(answer: httpx.Response, *, as_json: bool) -> None:
    """Says whether it was kept, and ends the command accordingly."""
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
