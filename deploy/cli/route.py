"""`listeningpost route`: where a piece would go, without sending one."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from deploy.cli import complete, connect
from deploy.cli.ask import ask, url_of
from deploy.cli.dry_run import Overrides, Planned, Said, overridden, planned, received
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.route_shown import as_json as route_json
from deploy.cli.route_shown import show
from deploy.cli.settings import CliSettings, environment, settings
from deploy.cli.workspace_file import declaration
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.errors import InvalidInput
from shared.events.feedback import (
    About,
    FeedbackReceived,
    Kind,
    Mode,
    Polarity,
    Tags,
    UrgencyReason,
)
from shared.settings import load
from shared.store.directory import DirectoryStore

_GIVEN = "as given"


@dataclass(frozen=True, slots=True)
class Asked:
    """`file` is a workspace to try; `as_given` asks no classifier."""

    said: Said
    overrides: Overrides
    file: str | None
    as_given: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    lines = (
        'listeningpost route --text "Nobody can read the bill." --from amelia.hart@brightwater.example',
        "listeningpost route --text - --touchpoint bill --urgent outage < complaint.txt",
        'listeningpost route --text "Nobody can read the bill." --file company.yaml --json',
    )
    app.command("route", epilog=examples(*lines))(route)


def route(  # noqa: PLR0913 - one an option
    *,
    text: Annotated[str, typer.Option(help="What would be said; - reads stdin.")] = "",
    title: Annotated[str, typer.Option(help="A subject.")] = "",
    sender: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The mail address of whoever said it, taken as proven.",
            autocompletion=complete.addresses,
        ),
    ] = None,
    spoken_for: Annotated[str | None, typer.Option("--for", help="And of whom they speak for.")] = None,
    channel: Annotated[str, typer.Option(help="The door it would come in by.")] = "rest",
    mode: Annotated[Mode, typer.Option(help="Only live pieces are told.")] = Mode.LIVE,
    confidential: Annotated[bool, typer.Option("--confidential", help="Said in confidence.")] = False,
    touchpoint: Annotated[
        list[str] | None,
        typer.Option(
            help="Where it belongs, instead of what is found; may be given often.",
            autocompletion=complete.touchpoints,
        ),
    ] = None,
    lens: Annotated[list[Lens] | None, typer.Option(help="Whom it concerns, instead; as often.")] = None,
    polarity: Annotated[Polarity | None, typer.Option(help="To keep or to change, instead.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="What it is, instead.")] = None,
    about: Annotated[About | None, typer.Option(help="About whom, instead.")] = None,
    urgent: Annotated[UrgencyReason | None, typer.Option(help="Urgent, and why.")] = None,
    language: Annotated[str | None, typer.Option(help="Its language, instead, like de.")] = None,
    file: Annotated[
        str | None, typer.Option(help="Try this workspace, which need not be applied; - reads stdin.")
    ] = None,
    as_given: Annotated[
        bool, typer.Option("--as-given", help="Ask no classifier: the tags are those given here.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show where a piece would go, without sending one.

    Its tags, the way through the routes, who is told, why, by what and when. Nothing is stored.

    Tags come from the running classifier and the directory in force. With --file the workspace in it is
    tried: it is tagged on this machine then, where the classifier is installed, else with --as-given.
    """
    if text == "-" and file == "-":
        raise Failed("text and workspace cannot both be read from stdin", code=ExitCode.USAGE)
    said = Said(
        text=sys.stdin.read() if text == "-" else text,
        title=title,
        sender=sender,
        spoken_for=spoken_for,
        channel=channel,
        mode=mode,
        confidential=confidential,
    )
    overrides = Overrides(tuple(touchpoint or ()), tuple(lens or ()), polarity, kind, about, urgent, language)
    asked = Asked(said, overrides, file, as_given, as_json)
    try:
        directory, found = asyncio.run(_plan(settings(), asked))
    except InvalidInput as error:
        where = f"{error.field}: " if error.field else ""
        raise Failed(f"{where}{error.detail}", error.remedy, ExitCode.USAGE) from None
    if as_json:
        print_json(route_json(found, directory))
    else:
        show(found, directory, overrides=bool(overrides))


async def _plan(where: CliSettings, asked: Asked) -> tuple[Directory, Planned]:
    directory = await _directory(where, asked)
    now = clock.now()
    event = received(asked.said, directory, now)
    with remarks().status("tagging"):
        tags, model = await _tags(where, asked, event, directory)
    tags = overridden(tags, asked.overrides, event, directory)
    max_age = timedelta(hours=load(NotifierSettings, environment()).notifier.max_age_h)
    return directory, planned(event, tags, directory, model=model, now=now, max_age=max_age)


async def _directory(where: CliSettings, asked: Asked) -> Directory:
    """The one in force, or that of a file, as version 0."""
    if asked.file is not None:
        return Directory(declaration(asked.file, as_json=asked.as_json).workspace, 0)
    async with connect.store(where) as store:
        current = await DirectoryStore(store).in_force()
    if current is None:
        raise Failed("no workspace is applied", "`listeningpost apply company.yaml`, or try one with --file")
    return Directory(current.workspace, current.number)


async def _tags(
    where: CliSettings, asked: Asked, event: FeedbackReceived, directory: Directory
) -> tuple[Tags, str]:
    if asked.as_given:
        return Tags(), _GIVEN
    if asked.file is not None:
        return await asyncio.to_thread(_tag_here, event, directory)
    answer = await ask(where, "classifier", "POST /internal/tag", event.model_dump_json().encode())
    if answer["directory_version"] != directory.version:
        # It follows within two seconds, so this is seen just after an `apply` only.
        said = f"the classifier tagged with version {answer['directory_version']} of the directory"
        remarks().print(f"[yellow]{said}; in force is {directory.version}[/yellow]")
    url = str(url_of(where, "classifier")).rstrip("/")
    return Tags.model_validate(answer["tags"]), f"{answer['model_version']} at {url}"


def _tag_here(event: FeedbackReceived, directory: Directory) -> tuple[Tags, str]:
    """By a tagger of this process: to fit the running one to another workspace would hold up its pieces."""
    try:
        from services.classifier.engines import TAGGERS  # noqa: PLC0415 - its libraries may be missing
    except ImportError:
        raise Failed(
            "a workspace that is not applied is tagged on this machine, and the classifier is not installed",
            "name the tags and add --as-given: --touchpoint bill --lens finance_legal --polarity change",
            ExitCode.USAGE,
        ) from None
    tagger = TAGGERS["standard"]()
    tagger.load(directory)
    [tags] = tagger.tag([event], directory)
    return tags, f"{tagger.version} on this machine"
