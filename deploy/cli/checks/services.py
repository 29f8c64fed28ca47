"""The services: whether they answer, and are ready."""

from __future__ import annotations

import httpx

from deploy.cli.checks.finding import WITHIN_S, Finding, State
from deploy.cli.settings import CliSettings


async def check(where: CliSettings) -> list[Finding]:
    urls = {
        "ingest": where.cli.ingest_url,
        "classifier": where.cli.classifier_url,
        "notifier": where.cli.notifier_url,
    }
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        return [await _service(client, name, str(url) if url else None) for name, url in urls.items()]


async def _service(client: httpx.AsyncClient, name: str, url: str | None) -> Finding:
    if url is None:
        return Finding(name, State.NOTE, f"not asked: LISTENINGPOST_CLI__{name.upper()}_URL is not set")
    address = f"{url.rstrip('/')}/readyz"
    try:
        answer = await client.get(address)
        report = answer.json()
    except (httpx.TransportError, ValueError) as error:
        detail = f"{address} does not answer ({type(error).__name__})"
        return Finding(name, State.WRONG, detail, f"start it, or set LISTENINGPOST_CLI__{name.upper()}_URL")
    if answer.status_code == httpx.codes.OK:
        return Finding(name, State.OK, f"ready at {url}")
    problems = "; ".join(f"{part}: {text}" for part, text in dict(report.get("problems", {})).items())
    return Finding(
        name, State.WRONG, f"not ready: {problems}", "mend what it names; it goes on by itself then"
    )
