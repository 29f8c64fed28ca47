"""What `apply` says: what changes, what is kept, what clashes and by whom; as text, or JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from rich.text import Text

from deploy.cli import changes
from deploy.cli.merging import Merge
from deploy.cli.output import print_json, remarks, results
from shared.domain.difference import Difference
from shared.domain.parts import PLAIN
from shared.domain.three_way import ABSENT, ORDER, Clash, Path
from shared.domain.workspace import Fault
from shared.store.directory import Version

_SHOWN_CHARS = 90
_MOST_KEPT = 8


class Asking(Protocol):
    """Who asked, and how."""

    @property
    def author(self) -> str: ...

    @property
    def dry_run(self) -> bool: ...

    @property
    def as_json(self) -> bool: ...

    @property
    def now(self) -> datetime: ...


@dataclass(slots=True)
class Report:
    """`applied` is the version that was made; `makers` say since which version a path is as it is."""

    asked: Asking
    current: Version | None
    applied: Version | None
    found: tuple[Difference, ...]
    merge: Merge | None = None
    makers: Mapping[Path, Version] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def clashes(self) -> Sequence[Clash]:
        return self.merge.merged.clashes if self.merge else ()

    @property
    def kept(self) -> Sequence[Path]:
        return self.merge.merged.kept if self.merge else ()

    @property
    def faults(self) -> Sequence[Fault]:
        return self.merge.faults if self.merge else ()


def report(told: Report) -> None:
    if told.asked.as_json:
        print_json(_as_json(told))
        return
    console = results()
    for clash in told.clashes:
        console.print(_clash(told, clash))
    for fault in told.faults:
        said = "; ".join(part for part in (fault.message, fault.remedy) if part)
        console.print(Text("✗ ", "red").append(_where_in(told, fault)).append(f": {said}"))
    if told.merge is not None and told.merge.result is None:
        return
    for difference in told.found:
        console.print(changes.line(difference))
    for line in _kept(told):
        console.print(line)
    _warn(told.warnings)
    if told.applied or told.asked.dry_run or not told.found:
        console.print(Text(_verdict(told)))


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        remarks().print(Text("! ", "yellow").append(warning), soft_wrap=True)


def _verdict(told: Report) -> str:
    if told.applied:
        return f"Version {told.applied.number} is in force. Running services follow within two seconds."
    current = told.current
    if not told.found and current:
        same = "holds all that your file changed" if told.kept else "says the same"
        return f"Nothing to change: version {current.number} by {current.author} {same}."
    in_force = f"version {current.number} by {current.author}" if current else "none yet"
    return f"Nothing was changed (--dry-run); in force is {in_force}."


def _clash(told: Report, clash: Clash) -> Text:
    """Both values, by whom and when; and what it was before."""
    theirs = told.makers[clash.path]
    rows = (
        ("your file", clash.file, f"{told.asked.author}, {changes.minute(told.asked.now)}"),
        ("in force", clash.current, changes.made_by(theirs)),
        ("before", clash.base, ""),
    )
    said = Text("✗ ", "red").append(_where(clash.path), "bold")
    for name, value, who in rows:
        said.append(f"\n    {name:<10}").append(_shown(value, clash.base))
        said.append(f"   {who}" if who else "", "dim")
    return said


def _kept(told: Report) -> list[Text]:
    """What is in force and not in the file, by the version it came with: `export` would have it."""
    by_version: dict[int, list[Path]] = {}
    for path in told.kept:
        by_version.setdefault(told.makers[path].number, []).append(path)
    said = []
    for paths in by_version.values():
        names = changes.some(dict.fromkeys(_where(path) for path in paths), _MOST_KEPT)
        who = changes.made_by(told.makers[paths[0]])
        said.append(Text("kept           ").append(names).append(f"   {who}", "dim"))
    return said


def _where(path: Path) -> str:
    """`people maren-voss: title`; what is no list has only its name, an order only its kind."""
    kind, name, *fields = path
    if kind == PLAIN:
        return " ".join(fields)
    if name == ORDER:
        return f"{kind}: their order"
    return f"{kind} {name}" + (f": {' '.join(fields)}" if fields else "")


def _where_in(told: Report, fault: Fault) -> str:
    """A path into what both sides say together, with ids instead of positions."""
    found: Any = told.merge.merged.values if told.merge else {}
    steps = []
    for step in fault.path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            found = None
        named = found.get("id", found.get("email")) if isinstance(found, Mapping) else None
        steps.append(str(named) if isinstance(step, int) and named else str(step))
    return " ".join(steps)


def _shown(value: Any, base: Any) -> str:  # noqa: ANN401 - whatever YAML may hold
    """A value on one line; of an entity only the fields in which it differs from `base`."""
    if value is ABSENT:
        return "nothing" if not isinstance(base, Mapping) else "removed"
    if isinstance(value, Mapping) and isinstance(base, Mapping):
        fields = [name for name in {**base, **value} if base.get(name, ABSENT) != value.get(name, ABSENT)]
        said = (
            "; ".join(f"{name}: {_shown(value.get(name, ABSENT), ABSENT)}" for name in fields) or "as it was"
        )
    elif isinstance(value, list):
        said = ", ".join(_shown(inner, ABSENT) for inner in value) or "nothing"
    elif isinstance(value, Mapping):
        said = "; ".join(f"{name}: {_shown(inner, ABSENT)}" for name, inner in value.items())
    else:
        said = " ".join(str(value).split())
    return said if len(said) <= _SHOWN_CHARS else said[: _SHOWN_CHARS - 1] + "…"


def _as_json(told: Report) -> dict[str, object]:
    in_force = told.applied or told.current
    base = told.merge.base if told.merge else None
    return {
        "applied": told.applied is not None,
        "dry_run": told.asked.dry_run,
        "version": in_force.number if in_force else None,
        "author": in_force.author if in_force else None,
        "origin": in_force.origin.value if in_force else None,
        "applied_at": in_force.applied_at if in_force else None,
        "base": {"version": base.number, "author": base.author} if base else None,
        "differences": [difference.as_json() for difference in told.found],
        "kept": [{"path": path, **changes.version_json(told.makers[path])} for path in told.kept],
        "conflicts": [
            {
                "path": clash.path,
                "file": _plain(clash.file),
                "current": _plain(clash.current),
                "before": _plain(clash.base),
                "by": changes.version_json(told.makers[clash.path]),
            }
            for clash in told.clashes
        ],
        "faults": [
            {"where": _where_in(told, fault), "fault": fault.message, "remedy": fault.remedy}
            for fault in told.faults
        ],
        "warnings": list(told.warnings),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    return None if value is ABSENT else value
