"""`listeningpost bench`: how fast this installation is, measured from outside."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli.bench_run import Measured, measure
from deploy.cli.output import ExitCode, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings

_SHARES = (0.5, 0.9, 0.99, 1.0)


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost bench",
        "listeningpost bench --rate 100 --seconds 60",
        "listeningpost bench --rate 20 --seconds 10 --json | jq .classified_ms",
    )
    app.command("bench", epilog=examples(*lines))(bench)


def bench(
    *,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Pieces a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(min=1, max=3_600, help="How long.")] = 15.0,
    as_json: Json = False,
) -> None:
    """Measure how fast pieces are accepted and classified.

    They come in by REST, one a request, at a steady rate whether or not the earlier ones were answered, so
    that a slow moment shows in the figures of all that waited. They stay, with the mode test: in no trend,
    told to nobody. Exit code 1 when one was refused or did not arrive.
    """
    found = asyncio.run(measure(settings(), rate=rate, seconds=seconds, console=remarks()))
    if as_json:
        print_json(_as_json(found))
    else:
        _show(found)
    raise typer.Exit(ExitCode.OK if len(found.classified_ms) == found.sent else ExitCode.FOUND)


def percentile(values: list[float], share: float) -> float:
    """The least of `values` that `share` of them do not exceed (nearest rank): exact, nothing in between."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def _show(found: Measured) -> None:
    console = results()
    rows = [
        (name, *(f"{percentile(values, share):.0f} ms" if values else "-" for share in _SHARES))
        for name, values in (("accepted after", found.accepted_ms), ("classified after", found.classified_ms))
    ]
    console.print(table(("", "p50", "p90", "p99", "most"), rows))
    kept = f"{found.kept} kept at {found.kept_per_s:.1f}/s"
    console.print(Text(f"{found.sent} sent, {kept}, {len(found.classified_ms)} classified"))
    for said, count in found.refused.items():
        console.print(Text(f"✗ {count} times: {said}", style="red"))
    said = f"They are marked as tests, stay stored ({found.word}-…), and are told to nobody."
    console.print(Text(said, style="dim"))


def _as_json(found: Measured) -> dict[str, object]:
    def figures(values: list[float]) -> dict[str, float] | None:
        names = ("p50", "p90", "p99", "max")
        pairs = zip(names, _SHARES, strict=True)
        return {name: round(percentile(values, share), 1) for name, share in pairs} if values else None

    return {
        "rate": found.rate,
        "sent": found.sent,
        "kept": found.kept,
        "kept_per_s": round(found.kept_per_s, 1),
        "classified": len(found.classified_ms),
        "accepted_ms": figures(found.accepted_ms),
        "classified_ms": figures(found.classified_ms),
        "refused": found.refused,
        "mode": "test",
        "word": found.word,
    }
