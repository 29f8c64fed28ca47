"""`listeningpost import`: a file of what was said before becomes feedback, once, however often it is run."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from pydantic import HttpUrl, SecretStr
from rich.text import Text

from deploy.cli.author import login
from deploy.cli.importing.dry_run import look_through
from deploy.cli.importing.errors_file import ErrorsFile
from deploy.cli.importing.forms import Wishes
from deploy.cli.importing.going_on import Place, place
from deploy.cli.importing.opened import FORMATS, Opened
from deploy.cli.importing.plan import Plan, plan_for, plan_for_mail
from deploy.cli.importing.post import Ingest, connected
from deploy.cli.importing.progress import shown
from deploy.cli.importing.readers import Reading, reader_for
from deploy.cli.importing.run import Counts, Run
from deploy.cli.importing.show import samples, shortened, show_plan, summary
from deploy.cli.importing.values import Scale, scale_said
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results
from deploy.cli.settings import settings
from shared import clock

_EXAMPLES = examples(
    "listeningpost import reviews.csv --dry-run",
    "listeningpost import survey.xlsx --map text=Kommentar --map rating=NPS --set touchpoint=bill --yes",
    "listeningpost import tickets.ndjson --channel zendesk --source acme --map external_id=ticket.id",
    "listeningpost import feedback.mbox",
)


_MOST_WARNINGS = 5


def register(app: typer.Typer) -> None:
    app.command("import", epilog=_EXAMPLES)(bring)


def bring(  # noqa: PLR0913 - one an option
    *,
    file: Annotated[Path, typer.Argument(help="CSV, NDJSON, XLSX or mbox; .gz is unpacked as it is read.")],
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="What a column becomes; FIELD= for none."),
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="The same in every row.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The system it is from, part of every row's identity; default: the file."),
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="The channel it first came through, with the --source it has there.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Like cp1252; default: found out.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Like ; or tab; default: found out.")] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether the first row names the columns.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook; default: the first.")] = None,
    zone: Annotated[str, typer.Option(help="Of dates without a zone, like Europe/Berlin.")] = "UTC",
    date_format: Annotated[
        str | None, typer.Option(help="iso, ymd, dmy, mdy, named, mail, epoch, or like %d.%m.%Y.")
    ] = None,
    scale: Annotated[str | None, typer.Option(help="Of ratings, like 0-10 or 1-5:csat.")] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Where refused rows go; default: FILE.errors.csv beside it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the mapping and what is wrong.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether the mapping is right.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Send all rows again; nothing is added twice.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Where ingest is; default: LISTENINGPOST_CLI__INGEST_URL.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The API key; better: LISTENINGPOST_CLI__IMPORT_KEY.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring in what was said before: CSV, NDJSON, XLSX, mbox.

    The mapping of columns is shown first. Stopped in the middle, the same command goes on where it was. Run
    twice, it adds nothing. Nobody is alerted of what is imported.

    Exit code 0 when every row is in, 1 when some were refused, in this run or one before it: they are in the
    errors file, with why.
    """
    reading = Reading(form, encoding, delimiter, header, sheet)
    wishes = Wishes(
        tuple(maps or ()),
        tuple(sets or ()),
        source,
        channel,
        _zone(zone),
        zone,
        date_format,
        _scale(scale),
    )
    with closing(Opened(file)) as opened:
        read = reader_for(opened, reading)
        plan = (plan_for_mail if read.format == "mbox" else plan_for)(read, opened, wishes)
        if not as_json:
            show_plan(plan)
        if dry_run:
            _dry_run(plan, as_json=as_json)
            return
        where = settings().cli
        secret = SecretStr(key) if key else where.import_key or where.key
        address = str(HttpUrl(url) if url else where.ingest_url)
        how = _How(ErrorsFile(file, errors, columns=read.columns, form=read.format), yes, from_start, as_json)
        rejected = asyncio.run(_import(plan, address, secret, how))
    raise typer.Exit(ExitCode.FOUND if rejected else ExitCode.OK)


@dataclass(frozen=True, slots=True)
class _How:
    errors: ErrorsFile
    yes: bool
    from_start: bool
    as_json: bool


async def _import(plan: Plan, address: str, secret: SecretStr | None, how: _How) -> int:
    """The number of rows refused in this run and those before it."""
    _stop_on_sigterm()
    async with connected(address, _secret(secret)) as client:
        with shown(plan.reader.size, quiet=how.as_json) as screen:
            ingest = Ingest(client, screen.say)
            found = place(plan, await ingest.progress(plan.id), from_start=how.from_start, moved=screen.moved)
        if found.said and not how.as_json:
            remarks().print(Text(found.said), soft_wrap=True)
        if found.is_over:
            _report(plan, found.counts, how.errors.found(found.errors_name), how, over=True)
            return found.counts.rejected
        _prepare(found, how)
        with shown(plan.reader.size, quiet=how.as_json) as screen:
            screen.goes_on(found.counts.rows_done)
            run = Run(plan, Ingest(client, screen.say), how.errors, login(), screen.moved, found.counts)
            try:
                await run.whole(found.chunks)
            except (asyncio.CancelledError, Failed):
                remarks().print("Stopped. The same command goes on where it was.", markup=False)
                raise
    for warning in list(run.warnings)[:_MOST_WARNINGS]:
        remarks().print(Text(f"! {warning}", style="yellow"), soft_wrap=True)
    path = how.errors.path
    _report(plan, run.counts, str(path) if path is not None else "", how, over=False)
    return run.counts.rejected


def _prepare(found: Place, how: _How) -> None:
    """Asks whether the mapping is right, and finds the file for errors. Raises Failed for a no."""
    if found.counts.rows_done:
        how.errors.go_on(found.errors_name, found.last_row)
    else:
        how.errors.check()
    if how.yes:
        return
    if not sys.stdin.isatty() or how.as_json:
        show_again = " (shown without --json)" if how.as_json else ""
        remedy = f"look at the mapping{show_again}, then add --yes"
        raise Failed("nothing was imported: there is nobody to ask", remedy, ExitCode.USAGE)
    if not typer.confirm("Import it so?", default=True, err=True):
        raise Failed("nothing was imported", "say what a column is with --map FIELD=COLUMN")


def _report(plan: Plan, counts: Counts, errors: str, how: _How, *, over: bool) -> None:
    if how.as_json:
        told = {name: value for name, value in asdict(counts).items() if name != "done_digest"}
        print_json(
            {"import": plan.id, "file": plan.file_name, "already": over, **told, "errors_file": errors}
        )
        return
    results().print(Text(summary(counts)))
    if over:
        remarks().print(
            "Nothing was sent. --from-start sends it again, and adds nothing twice.", markup=False
        )
    if counts.rejected and errors:
        remarks().print(Text(f"Refused rows, each with why: {errors}", style="yellow"), soft_wrap=True)
        remarks().print("Mend them there, and import that file.", markup=False)


def _dry_run(plan: Plan, *, as_json: bool) -> None:
    with shown(plan.reader.size, quiet=as_json) as screen:
        found = look_through(plan, clock.now(), lambda at, done: screen.moved(at, Counts(rows_done=done)))
    items = list(samples(plan))
    bad = [
        {"field": name, "fault": detail, "remedy": remedy, "rows": count, "first_row": found.first[said]}
        for said, count in found.bad.most_common()
        for name, detail, remedy in (said,)
    ]
    if as_json:
        print_json(
            {
                "import": plan.id,
                "file": plan.file_name,
                "format": plan.reader.format,
                "source": plan.source,
                "mapping": dict(plan.described),
                "fixed": dict(plan.mapping.fixed),
                "not_used": plan.unused,
                "notes": [*plan.reader.notes, *plan.notes],
                "samples": items,
                "rows": found.rows,
                "good": found.good,
                "left_out": found.left_out,
                "bad": bad,
            }
        )
        return
    for item in items:
        results().print(Text(shortened(item)))
    left_out = f", {found.left_out:,} without words" if found.left_out else ""
    refused = f", {found.bad.total():,} would be refused" if found.bad else ""
    results().print(Text(f"{found.rows:,} rows: {found.good:,} would be sent{left_out}{refused}"))
    for each in bad[:_MOST_WARNINGS]:
        where = f"{each['field']}: " if each["field"] else ""
        which = f"{each['rows']:,} rows (the first is {each['first_row']})"
        said = f"! {which}: {where}{each['fault']}. {each['remedy']}"
        remarks().print(Text(said, style="yellow"), soft_wrap=True)


def _secret(given: SecretStr | None) -> str:
    if given is None or not given.get_secret_value():
        raise Failed(
            "there is no API key",
            "`listeningpost keys create NAME --scope feedback:import`, then LISTENINGPOST_CLI__IMPORT_KEY=…",
            ExitCode.USAGE,
        )
    return given.get_secret_value()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Failed(f"there is no zone {name!r}", "use a name like Europe/Berlin", ExitCode.USAGE) from None


def _scale(said: str | None) -> Scale | None:
    return scale_said(said) if said is not None else None


def _stop_on_sigterm() -> None:
    """What a supervisor sends ends the import as Ctrl-C does."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
