"""What `accounts` says: what an import changes and refuses, the list, and how many voices are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from deploy.cli import changes
from deploy.cli.output import print_json, remarks, results, table
from shared.domain.account import Account
from shared.domain.coverage import Coverage
from shared.domain.csv_accounts.rows import RowFault
from shared.domain.difference import Difference
from shared.domain.directory import Directory
from shared.store.directory import Version

_MOST_FAULTS = 50


@dataclass(slots=True)
class Imported:
    """`rows` are good ones; `applied` is the version that was made of them."""

    name: str
    rows: int
    faults: Sequence[RowFault]
    current: Version
    differences: tuple[Difference, ...] = ()
    applied: Version | None = None


def report_import(found: Imported, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        in_force = found.applied or found.current
        print_json(
            {
                "applied": found.applied is not None,
                "dry_run": dry_run,
                "rows": found.rows,
                "faults": [asdict(fault) for fault in found.faults],
                "differences": [difference.as_json() for difference in found.differences],
                **changes.version_json(in_force),
            }
        )
        return
    _faults(found)
    for difference in found.differences:
        results().print(changes.line(difference))
    results().print(Text(_verdict(found, dry_run=dry_run)))


def _faults(found: Imported) -> None:
    for fault in found.faults[:_MOST_FAULTS]:
        where = Text(f"{found.name}:{fault.line} ", "bold").append(fault.column)
        said = "; ".join(part for part in (fault.message, fault.remedy) if part)
        remarks().print(where, Text(f"{': ' if fault.column else ''}{said}"), sep="", soft_wrap=True)
    more = len(found.faults) - _MOST_FAULTS
    if more > 0:
        remarks().print(Text(f"and {more} more faults"), soft_wrap=True)


def _verdict(found: Imported, *, dry_run: bool) -> str:
    bad = len({fault.line for fault in found.faults})
    left = f"; {bad} row{'s' * (bad > 1)} left out" if bad else ""
    if found.applied:
        return f"Version {found.applied.number} is in force, from {found.rows} rows{left}."
    if found.differences:
        return f"Nothing was changed (--dry-run){left}."
    if bad and not dry_run and found.rows:
        return f"Nothing was changed: {bad} of {bad + found.rows} rows are wrong; --partial takes the others."
    return f"Nothing to change: the directory has what the {found.rows} rows say{left}."


def show_accounts(directory: Directory, *, as_json: bool) -> None:
    accounts = directory.workspace.accounts
    if as_json:
        print_json(
            [
                {
                    **account.model_dump(mode="json", exclude={"contacts"}),
                    "contacts": len(account.contacts),
                    "segment": directory.segments[account.id],
                    "segment_by_rule": _by_rule(account, directory),
                }
                for account in accounts
            ]
        )
        return
    if not accounts:
        remarks().print("There are no accounts yet: `listeningpost accounts import crm.csv` brings some.")
        return
    rows = [
        (
            account.id,
            account.owner or "",
            (directory.segments[account.id] or "") + (" (rule)" if _by_rule(account, directory) else ""),
            account.tier,
            "" if account.yearly_value is None else f"{account.yearly_value:,}",
            str(account.renewal or ""),
            str(len(account.contacts)),
            " ".join(account.domains),
        )
        for account in accounts
    ]
    results().print(
        table(("id", "owner", "segment", "tier", "yearly value", "renewal", "contacts", "domains"), rows)
    )


def _by_rule(account: Account, directory: Directory) -> bool:
    return account.segment is None and directory.segments[account.id] is not None


def show_coverage(found: Coverage, days: int, *, as_json: bool) -> None:
    weighed = found.weighed
    if as_json:
        print_json(
            {
                "days": days,
                "pieces": weighed.pieces,
                "unknown": weighed.unknown,
                "unknown_percent": found.unknown_percent,
                "unknown_colleagues": weighed.unknown_colleagues,
                "private": found.private,
                "helpful": [{"domain": domain, "pieces": count} for domain, count in found.helpful],
            }
        )
        return
    if not weighed.pieces:
        remarks().print(f"There are no pieces of the last {days} days.")
        return
    console = results()
    console.print(
        Text(f"{found.unknown_percent} % of {weighed.pieces:,} pieces weighed as unknown", "bold").append(
            f" ({weighed.unknown:,}, in the last {days} days)", "not bold"
        )
    )
    parts = (
        (weighed.unknown_colleagues, "from colleagues who spoke for nobody else"),
        (found.private, "from addresses at mail providers: only `contacts` make those people known"),
    )
    for count, what in parts:
        if count:
            console.print(Text(f"  {count:,} {what}"))
    if found.helpful:
        rows = [(domain, f"{count:,}") for domain, count in found.helpful]
        console.print(table(("domains that would help most", "pieces"), rows))
        remarks().print(
            "→ give them to accounts (`listeningpost accounts import`), or rules to segments and personas",
            soft_wrap=True,
        )
