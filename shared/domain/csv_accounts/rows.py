"""Rows of a CRM's export as accounts to be merged: the line each stands on, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.accounts import account_faults
from shared.domain.csv_accounts import cells
from shared.domain.csv_accounts.columns import find_columns
from shared.domain.directory import Directory
from shared.domain.suggest import did_you_mean
from shared.domain.workspace import Workspace

#: The line a row begins on, and its cells.
Row = tuple[int, Sequence[str]]
_SAID_CHARS = 300


@dataclass(frozen=True, slots=True)
class RowFault:
    """`column` is the header as the file has it, or the name of the field."""

    line: int
    column: str
    message: str
    remedy: str = ""


@dataclass(slots=True)
class Accounts:
    """`given` and `lines` belong together, place by place; a row with a fault is in neither."""

    given: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read. `columns` are fields whose header is said."""

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None


def adding_domains(workspace: Workspace, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same, with the domains the accounts have: a CRM knows one web address, an account may have more."""
    known = {account.id: account.domains for account in workspace.accounts}
    more = []
    for fields in given:
        before = known.get(str(fields["id"]), ())
        added = [d for d in fields.get("domains", ()) if d not in {name.lower() for name in before}]
        more.append({**fields, "domains": (*before, *added)} if "domains" in fields else dict(fields))
    return more


def read_rows(rows: Iterable[Row], directory: Directory, reading: Reading) -> Accounts:
    """The accounts of the rows, the first of which holds the headers.

    A row is about the account with its id, else the one that has one of its domains, else the one of that
    name, else a new one. An empty cell changes nothing. Raises InvalidInput when the columns cannot be told.
    """
    numbered = ((line, cells) for line, cells in rows if any(cell.strip() for cell in cells))
    _, headers = next(numbered, (0, ()))
    headers = [header.strip().lstrip("\ufeff") for header in headers]
    columns = find_columns(headers, reading.columns)
    reader = _Reader(headers, columns, directory, reading.date_format)
    found = Accounts()
    for line, row in numbered:
        fields, wrong = reader.read(line, row)
        if wrong:
            found.faults += wrong
        else:
            found.given.append(fields)
            found.lines.append(line)
    return _without_unsound(found, reader, directory)


def _without_unsound(found: Accounts, reader: _Reader, directory: Directory) -> Accounts:
    """What is wrong beside the cells themselves: an id or a domain that two rows have."""
    wrong = account_faults(directory.workspace, adding_domains(directory.workspace, found.given))
    for fault in wrong:
        place, name = int(fault.path[1]), str(fault.path[2])
        found.faults.append(RowFault(found.lines[place], reader.header(name), fault.message, fault.remedy))
    bad = {int(fault.path[1]) for fault in wrong}
    kept = [place for place in range(len(found.given)) if place not in bad]
    found.given = [found.given[place] for place in kept]
    found.lines = [found.lines[place] for place in kept]
    found.faults.sort(key=lambda fault: fault.line)
    return found


class _Reader:
    def __init__(
        self,
        headers: Sequence[str],
        columns: Mapping[str, int],
        directory: Directory,
        date_format: str | None,
    ) -> None:
        self._headers = headers
        self._columns = columns
        self._directory = directory
        workspace = directory.workspace
        self._people = {cells.fold_word(p.name): p.id for p in workspace.people} | {
            cells.fold_word(name): p.id for p in workspace.people for name in (*p.emails, p.id)
        }
        self._segments = {cells.fold_word(n): s.id for s in workspace.segments for n in (s.name, s.id)}
        self._by_name = {cells.fold_word(a.name): a.id for a in reversed(workspace.accounts)}
        self._by_domain = {d.lower(): a.id for a in workspace.accounts for d in a.domains}
        tiers = {cells.fold_word(a.tier): a.tier for a in workspace.accounts}
        self._read: dict[str, Callable[[str], object]] = {
            "name": lambda cell: " ".join(cell.split()),
            "domains": self._domains,
            "owner": lambda cell: _known("owner", cell, self._people, "declare that person under `people`"),
            "segment": lambda cell: _known("segment", cell, self._segments, "declare it under `segments`"),
            "tier": lambda cell: tiers.get(cells.fold_word(cell), cell.strip().lower()),
            "yearly_value": cells.number,
            "renewal": lambda cell: cells.day(cell, date_format),
            "quotable": cells.yes_or_no,
        }

    def header(self, name: str) -> str:
        return self._headers[self._columns[name]] if name in self._columns else name

    def read(self, line: int, row: Sequence[str]) -> tuple[dict[str, Any], list[RowFault]]:
        wrong: list[RowFault] = []
        if len(row) > len(self._headers) and any(cell.strip() for cell in row[len(self._headers) :]):
            said = f"{len(row)} cells, and {len(self._headers)} columns"
            return {}, [RowFault(line, "", said, "put cells that hold the separator in quotes")]
        given = {name: row[at].strip() for name, at in self._columns.items() if at < len(row)}
        fields: dict[str, Any] = {}
        for name, cell in given.items():
            if name == "id" or not cell:
                continue
            try:
                fields[name] = self._read[name](cell)
            except ValueError as error:
                message, _, remedy = _short(str(error)).partition("; ")
                wrong.append(RowFault(line, self.header(name), message, remedy))
        account = self._which(given.get("id", ""), fields)
        if not account and not wrong:
            wrong.append(RowFault(line, self.header("name"), "nothing says which account this is", "name it"))
        return {"id": account, **fields}, wrong

    def _which(self, given: str, fields: Mapping[str, Any]) -> str:
        own, known = cells.slug(given), self._directory.accounts
        name = fields.get("name", "")
        if own and own in known:
            return own
        by_domain = (self._by_domain.get(domain) for domain in fields.get("domains", ()))
        found = next((account for account in by_domain if account is not None), None)
        if found is None and not own:
            found = self._by_name.get(cells.fold_word(name))
        return found or own or cells.slug(name)

    def _domains(self, cell: str) -> tuple[str, ...]:
        found = cells.domains(cell)
        own = [domain for domain in found if self._directory.is_own_domain(f"@{domain}")]
        if own:
            msg = f"{own[0]!r} is our own domain; leave it out"
            raise ValueError(msg)
        return found


def _short(said: str) -> str:
    """A cell may hold a page."""
    return said if len(said) <= _SAID_CHARS else said[:_SAID_CHARS] + "…"


def _known(what: str, cell: str, known: Mapping[str, str], otherwise: str) -> str:
    found = cells.one_of(cell, known)
    if found is None:
        msg = (
            f"no {what} {cell.strip()!r} is declared; {did_you_mean(cells.fold_word(cell), known, otherwise)}"
        )
        raise ValueError(msg)
    return found
