"""Which column becomes what, guessed from what it is called and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from deploy.cli.importing.dates import form_of
from deploy.cli.importing.fields import OURS, SYNONYMS, rank
from deploy.cli.importing.values import NOBODY, is_email, is_number, is_rating, scale_of
from shared.events.feedback import Affiliation

#: One address of a person is taken; the others would be refused beside it.
_ONE_OF: Final = ("author.email", "author.id")
_AFFILIATIONS: Final = frozenset(Affiliation)
_MOSTLY = 0.9
_HALF = 0.5
_SHORT_CHARS = 100


def guess(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Field → the number of its column; each column is one field at most. `rows` are the first ones."""
    values = [[row[at] for row in rows if row[at].strip()] for at in range(len(columns))]
    scored = [
        (score, field, at)
        for at, name in enumerate(columns)
        if values[at] and not name.startswith(OURS)
        for field in SYNONYMS
        if (score := _score(field, name, values[at])) > 0
    ]
    mapping: dict[str, int] = {}
    for _, field, at in sorted(scored, key=lambda one: (-one[0], one[2])):
        taken = field in mapping or at in mapping.values()
        if not taken and not (field in _ONE_OF and any(other in mapping for other in _ONE_OF)):
            mapping[field] = at
    return mapping


def _score(field: str, name: str, values: Sequence[str]) -> float:
    """0 where the values cannot be that, else how surely name and values say so."""
    if not _FITS[field](values):
        return 0.0
    by_name = rank(name, field)
    by_value = _BY_VALUE[field](values) if field in _BY_VALUE else 0.0
    return by_name + by_value if by_name else by_value


def _share(values: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, values)) / len(values)


def _words(values: Sequence[str]) -> float:
    return sum(len(value.split()) for value in values) / len(values)


def _is_prose(values: Sequence[str]) -> bool:
    return _share(values, is_number) < _HALF and _share(values, is_email) < _HALF and not _is_dates(values)


def _is_dates(values: Sequence[str]) -> bool:
    return form_of(values[:50]) is not None


def _is_id(values: Sequence[str]) -> bool:
    return len(set(values)) == len(values) and max(map(len, values)) <= _SHORT_CHARS and _words(values) < 2  # noqa: PLR2004 - one


def _is_named(values: Sequence[str]) -> bool:
    short = max(map(len, values)) <= _SHORT_CHARS and _words(values) <= 4  # noqa: PLR2004 - of a name
    return (
        short
        and _share(values, is_number) < _HALF
        and _share(values, is_email) < _HALF
        and not _is_dates(values)
    )


def _is_link(value: str) -> bool:
    return value.strip().lower().startswith(("http://", "https://"))


def _is_ratings(values: Sequence[str]) -> bool:
    return _share(values, is_rating) == 1 and scale_of("", values) is not None


def _is_address(value: str) -> bool:
    return is_email(value) or value.strip().lower() in NOBODY


_FITS: Final[Mapping[str, Callable[[Sequence[str]], bool]]] = {
    "text": _is_prose,
    "title": _is_prose,
    "external_id": _is_id,
    "occurred_at": _is_dates,
    "revision": _is_dates,
    "author.email": lambda values: _share(values, _is_address) >= _MOSTLY and any(map(is_email, values)),
    "author.name": _is_named,
    "author.id": lambda values: max(map(len, values)) <= _SHORT_CHARS and not _is_dates(values),
    "rating": _is_ratings,
    "url": lambda values: _share(values, _is_link) >= _MOSTLY,
    "thread_id": lambda values: max(map(len, values)) <= _SHORT_CHARS,
    "touchpoint": lambda values: _words(values) < 2,  # noqa: PLR2004 - an id is one word
    "affiliation": lambda values: set(values) <= _AFFILIATIONS,
    "confidential": lambda values: len({value.strip().lower() for value in values}) <= 2,  # noqa: PLR2004 - yes and no
}
#: What the values alone tell, less than any name does; long words are text whatever they are called.
_BY_VALUE: Final[Mapping[str, Callable[[Sequence[str]], float]]] = {
    "text": lambda values: min(_words(values), 20) if _words(values) >= 3 else 0.0,  # noqa: PLR2004 - fewer are a label
    "author.email": lambda values: 20.0 * _share(values, is_email),
    "occurred_at": lambda _: 15.0,
    "url": lambda _: 15.0,
}
