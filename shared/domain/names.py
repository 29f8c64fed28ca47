"""Finding the directory's people in a text, by name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache

from shared.domain.directory import Directory

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
#: Before a surname alone; English, German, French, Spanish.
_HONORIFICS = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "herr", "herrn", "frau", "monsieur", "madame", "mademoiselle"}
    | {"mme", "mlle", "senor", "senora", "sr", "sra", "don", "dona"}
)
_CAN_HOLD_NAMES_CHARS = 20_000

Name = tuple[str, ...]


def named_people(text: str, directory: Directory) -> tuple[str, ...]:
    """Ids of the people named in full ("Anna Keller"), or by honorific and surname ("Frau Keller").

    In the directory's order. A first name alone names nobody: too many are words ("Will", "May", "Grace"). A
    name that several people bear names none of them. Case and accents are ignored; only the first 20,000
    characters are read.
    """
    names = _names(directory)
    words = [_plain(word) for word in _WORD.findall(text[:_CAN_HOLD_NAMES_CHARS])]
    found = set()
    for position, word in enumerate(words):
        for name in names.get(word, ()):
            if tuple(words[position : position + len(name)]) == name:
                found.add(name)
    people = _bearers(directory)
    return tuple(
        person.id for person in directory.workspace.people if any(people[name] == person.id for name in found)
    )


@lru_cache(maxsize=4)
def _bearers(directory: Directory) -> dict[Name, str]:
    """Whom a name means, for names that mean one person only."""
    bearers: dict[Name, set[str]] = defaultdict(set)
    for person in directory.workspace.people:
        words = tuple(_plain(word) for word in _WORD.findall(person.name))
        if len(words) < 2:  # noqa: PLR2004 - a first name and a surname
            continue
        bearers[words].add(person.id)
        for honorific in _HONORIFICS:
            bearers[honorific, words[-1]].add(person.id)
    return {name: next(iter(ids)) for name, ids in bearers.items() if len(ids) == 1}


@lru_cache(maxsize=4)
def _names(directory: Directory) -> dict[str, tuple[Name, ...]]:
    """The names by their first word."""
    names: dict[str, list[Name]] = defaultdict(list)
    for name in _bearers(directory):
        names[name[0]].append(name)
    return {word: tuple(starting) for word, starting in names.items()}


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
