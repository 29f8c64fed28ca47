"""`listeningpost topics`: the topics as they should be."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli.output import ExitCode, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared.bus.admin import TopicState, describe, ensure_topics
from shared.settings import KafkaSettings


def register(app: typer.Typer) -> None:
    lines = ("listeningpost topics", "listeningpost topics --dry-run --json")
    app.command("topics", epilog=examples(*lines))(topics)


def topics(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look; make nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Make the Kafka topics that are missing, and show what differs.

    What is there is never changed or deleted. Exit code 1 when something still differs from the declaration.
    """
    made, states = asyncio.run(_topics(settings().kafka, dry_run=dry_run))
    differing = [state for state in states if state.partitions != state.declared_partitions]
    if as_json:
        print_json({"made": made, "topics": [_as_json(state) for state in states]})
    else:
        rows = [(state.name, str(state.partitions or "-"), _remark(state, made)) for state in states]
        results().print(table(("topic", "partitions", ""), rows))
        if differing:
            remarks().print(
                Text(f"{len(differing)} of {len(states)} topics differ from the declaration", "yellow")
            )
    raise typer.Exit(ExitCode.FOUND if differing else ExitCode.OK)


async def _topics(kafka: KafkaSettings, *, dry_run: bool) -> tuple[list[str], list[TopicState]]:
    made = [] if dry_run else await ensure_topics(kafka)
    return made, await describe(kafka)


def _as_json(state: TopicState) -> dict[str, object]:
    return {"name": state.name, "declared": state.declared_partitions, "partitions": state.partitions}


def _remark(state: TopicState, made: list[str]) -> str:
    if state.name in made:
        return "made"
    if not state.partitions:
        return "missing: `listeningpost topics` makes it"
    if state.partitions < state.declared_partitions:
        wanted = state.declared_partitions
        return f"{wanted} declared; mend it with `kafka-topics --alter --partitions {wanted}`"
    if state.partitions > state.declared_partitions:
        return f"{state.declared_partitions} declared; more do no harm"
    return ""
