"""Which column becomes which field, which fields are the same in every row: guessed, said, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deploy.cli.importing.fields import TARGETS, plain
from deploy.cli.output import ExitCode, Failed
from shared.domain.suggest import did_you_mean

#: Several columns may be what was said: the questions of a survey, one below the other.
_MANY = "text"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """`columns` has the numbers of a field's columns, one but for text; `fixed` what every row has."""

    columns: Mapping[str, tuple[int, ...]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()


def mapped(
    guessed: Mapping[str, int], columns: Sequence[str], maps: Sequence[str], sets: Sequence[str]
) -> FieldMap:
    """What was guessed, but for what was said. `maps` are "field=Column", "field=" for none.

    Raises Failed for a field or a column that there is not.
    """
    said: dict[str, list[int]] = {}
    for name, column in (_pair(given, "--map") for given in maps):
        said.setdefault(name, [])
        if column:
            said[name].append(_column(column, columns))
    fixed = dict(_pair(given, "--set") for given in sets)
    for name, numbers in said.items():
        if len(numbers) > 1 and name != _MANY:
            raise Failed(f"--map {name} was given twice", "only text may be made of several", ExitCode.USAGE)
    taken = {number for numbers in said.values() for number in numbers}
    merged: dict[str, tuple[int, ...]] = {
        name: (at,)
        for name, at in guessed.items()
        if name not in said and name not in fixed and at not in taken
    }
    merged |= {name: tuple(numbers) for name, numbers in said.items() if numbers and name not in fixed}
    ordered = {name: merged[name] for name in TARGETS if name in merged}
    return FieldMap(ordered, fixed, frozenset(ordered) - set(said))


def _pair(given: str, option: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    name = name.strip()
    if not equals:
        raise Failed(f"{option} {given!r} has no =", f"write {option} text={given}", ExitCode.USAGE)
    if name not in TARGETS:
        remedy = did_you_mean(name, TARGETS, f"fields are {', '.join(TARGETS)}")
        raise Failed(f"{option}: there is no field {name!r}", remedy, ExitCode.USAGE)
    return name, value.strip() if option == "--map" else value


def _column(name: str, columns: Sequence[str]) -> int:
    """The number of a column by its name; by its place from 1 where none is called so."""
    for same in (lambda column: column == name, lambda column: plain(column) == plain(name) != ""):
        found = [at for at, column in enumerate(columns) if same(column)]
        if found:
            return found[0]
    if name.isdecimal() and 1 <= int(name) <= len(columns):
        return int(name) - 1
    raise Failed(
        f"there is no column {name!r}",
        did_you_mean(name, columns, f"there are {', '.join(columns)}"),
        ExitCode.USAGE,
    )
