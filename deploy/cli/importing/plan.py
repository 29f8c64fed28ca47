"""All that is decided before the first row is sent: the same file and decisions are the same import."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.cli.importing.fields import OURS
from deploy.cli.importing.forms import Wishes, form_for
from deploy.cli.importing.guess import guess
from deploy.cli.importing.items import Form, Item, builder, constants
from deploy.cli.importing.mapping import FieldMap, mapped
from deploy.cli.importing.opened import Opened
from deploy.cli.importing.record import Reader
from deploy.cli.importing.table_ndjson import NdjsonReader
from deploy.cli.output import ExitCode, Failed
from shared import ids

#: So many rows from the top say which file it is, whatever is appended to it.
_HEAD_ROWS = 20
_ERRORS = re.compile(r"\.errors(-\d+)?$")
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_OF_MAIL: Final = ("product", "touchpoint", "brief", "confidential")
_MODES: Final = ("import", "backfill")


@dataclass(frozen=True, slots=True)
class Plan:
    """`id` names the import and is the batch of its pieces. `notes` are for people.

    `described` is the mapping, column to field. `unused` columns are in none.

    `build` makes an item of a row's cells (see items.py); a mailbox needs none, its mails go as they are.
    """

    id: str
    file_name: str
    reader: Reader
    source: str
    channel: str | None
    head_digest: str
    described: Mapping[str, str]
    unused: tuple[str, ...] = ()
    mapping: FieldMap = field(default_factory=lambda: FieldMap({}))
    notes: tuple[str, ...] = ()
    build: Callable[[Any], Item] | None = None
    size_bytes: int = 0

    def described_by(self, name: str) -> str | None:
        """The column that becomes the field `name`."""
        return next((column for column, become in self.described.items() if become == name), None)


def plan_for(read: Reader, opened: Opened, wishes: Wishes) -> Plan:
    """The plan for the file that `read` reads. Raises Failed for wishes that cannot be."""
    path = opened.path
    source = wishes.source or source_of(path)
    _check_origin(wishes)
    if isinstance(read, NdjsonReader) and read.own_form and not wishes.maps:
        return _as_it_is(read, opened, source, wishes)
    rows = [[read.getter(at)(row.cells) for at in range(len(read.columns))] for row in read.samples]
    mapping = mapped(guess(read.columns, rows), read.columns, wishes.maps, wishes.sets)
    if "text" not in mapping.columns and "text" not in mapping.fixed:
        raise Failed(
            f"which column of {path.name} is what was said?",
            f"--map text=COLUMN; there are {', '.join(read.columns)}",
            ExitCode.USAGE,
        )
    form, notes = form_for(mapping, read.columns, rows, wishes)
    described = {read.columns[at]: name for name, numbers in mapping.columns.items() for at in numbers}
    decided = [described, dict(mapping.fixed), str(form.date_form), str(form.revision_form), str(form.scale)]
    head = _head(read)
    import_id = _id(read, source, wishes, head, [*decided, wishes.zone_name])
    base = _base(import_id, source, wishes.channel)
    return Plan(
        id=import_id,
        file_name=path.name,
        reader=read,
        source=source,
        channel=wishes.channel,
        head_digest=head,
        described=described,
        unused=tuple(name for name in read.columns if name not in described and not name.startswith(OURS)),
        mapping=mapping,
        notes=tuple(notes),
        build=builder(mapping, form, read, base),
        size_bytes=opened.size,
    )


def plan_for_mail(read: Reader, opened: Opened, wishes: Wishes) -> Plan:
    """Mail says all of itself, and has its own source and identity. Raises Failed for wishes about rows."""
    fixed = mapped({}, (), (), wishes.sets)
    if wishes.maps or wishes.source or wishes.channel or set(fixed.fixed) - set(_OF_MAIL):
        remedy = f"only --set {', '.join(_OF_MAIL)} goes with a mailbox"
        raise Failed("mail says all of itself, as over SMTP", remedy, ExitCode.USAGE)
    head = _head(read)
    return Plan(
        id=_id(read, "", wishes, head, [dict(fixed.fixed)]),
        file_name=opened.path.name,
        reader=read,
        source="mail",
        channel=None,
        head_digest=head,
        described={},
        mapping=fixed,
        size_bytes=opened.size,
    )


def source_of(path: Path) -> str:
    """What stands in for the name of the sending system: the file's, also of the rows that were refused."""
    name = path.name.removesuffix(".gz")
    stem = name.rpartition(".")[0] or name
    stem = _ERRORS.sub("", stem)
    return stem.rpartition(".")[0] or stem


def _check_origin(wishes: Wishes) -> None:
    if wishes.channel is None:
        return
    if not _CHANNEL.fullmatch(wishes.channel):
        remedy = "use a short name of a-z, 0-9, - and _, like app_store"
        raise Failed(f"--channel {wishes.channel!r} is no name of a channel", remedy, ExitCode.USAGE)
    if wishes.source is None:
        remedy = "name the workspace, shop or instance it came from, as a poll of it would"
        raise Failed("--channel needs its --source", remedy, ExitCode.USAGE)


def _as_it_is(read: NdjsonReader, opened: Opened, source: str, wishes: Wishes) -> Plan:
    """For items of our own: what the file does not say is said for it, and nothing else is changed."""
    head = _head(read)
    fixed = mapped({}, (), (), wishes.sets)
    import_id = _id(read, source, wishes, head, [dict(fixed.fixed)])
    base = constants(fixed.fixed, Form(wishes.zone), _base(import_id, source, wishes.channel))

    def build(cells: Mapping[str, Any]) -> Item:
        item = base | {name: value for name, value in cells.items() if not name.startswith(OURS)}
        if item["mode"] not in _MODES:
            item["mode"] = _MODES[0]
        item["batch"] = import_id
        return item

    return Plan(
        id=import_id,
        file_name=opened.path.name,
        reader=read,
        source=source,
        channel=wishes.channel,
        head_digest=head,
        described={},
        mapping=fixed,
        build=build,
        size_bytes=opened.size,
    )


def _base(import_id: str, source: str, channel: str | None) -> Item:
    base: Item = {"mode": _MODES[0], "batch": import_id, "source": source}
    return base if channel is None else {**base, "channel": channel}


def _head(read: Reader) -> str:
    rows = read.digest_of([row.cells for row in read.samples[:_HEAD_ROWS]])
    return ids.digest(json.dumps(read.columns).encode(), rows)


def _id(read: Reader, source: str, wishes: Wishes, head: str, decided: Sequence[Any]) -> str:
    said = [read.format, source, wishes.channel, getattr(read, "sheet", None), *decided]
    return ids.digest(head.encode(), json.dumps(said, sort_keys=True).encode())[:32]
