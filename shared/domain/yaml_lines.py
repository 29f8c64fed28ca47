"""An entity as the lines PyYAML would write for it, where all in it is simple, and that is nearly always.

PyYAML looks at every character of every word in Python, which for ten thousand accounts takes six seconds.
What is simple here is a word without a character that means something in YAML, on a line that is not broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import yaml

_LIST: Final = re.compile(r"\w[\w .@/()&'\"+=;%*!|<>^$~-]*")
_BLOCK: Final = re.compile(r"\w[\w .@/()&'\"+=;%*!|<>^$~,:?\[\]{}-]*")
_RESOLVERS: Final = yaml.SafeDumper.yaml_implicit_resolvers


#: Where a line ends, or after the word that crosses it.
WIDTH_CHARS: Final = 100
#: An entity that is no longer than this, written on one line.
_LINE_CHARS = 96
#: Words stand side by side, sentences below each other.
_WORDS_CHARS = 44


class NotSimple(Exception):
    """PyYAML itself has to write it."""


def is_word(value: Any) -> bool:  # noqa: ANN401 - any plain value
    text = str(value)
    return not isinstance(value, Mapping | list) and len(text) <= _WORDS_CHARS and "\n" not in text


def fits_on_a_line(values: Mapping[str, Any]) -> bool:
    return "\n" not in str(list(values.values())) and len(str(values)) - 4 * len(values) <= _LINE_CHARS


def item(entity: Mapping[str, Any]) -> str:
    """As an item of a list at the top. Raises NotSimple."""
    lines = list(_item(entity, 2))
    if max(map(len, lines)) > WIDTH_CHARS:
        raise NotSimple
    return "\n".join(lines) + "\n"


def _item(value: Any, indent: int) -> Iterator[str]:  # noqa: ANN401 - any plain value
    dash = " " * indent + "- "
    if isinstance(value, list) and not all(map(is_word, value)):
        raise NotSimple
    if not isinstance(value, Mapping) or fits_on_a_line(value):
        yield dash + _beside(value, _BLOCK)
        return
    for number, line in enumerate(_mapping(value, indent + 2)):
        yield line if number else dash + line[indent + 2 :]


def _mapping(values: Mapping[str, Any], indent: int) -> Iterator[str]:
    room = " " * indent
    for name, value in values.items():
        key = f"{room}{_text(name, _LIST)}:"
        if isinstance(value, list) and not all(map(is_word, value)):
            yield key
            for inner in value:
                yield from _item(inner, indent + 2)
        elif isinstance(value, Mapping) and not fits_on_a_line(value):
            yield key
            yield from _mapping(value, indent + 2)
        else:
            yield f"{key} {_beside(value, _BLOCK)}"


def _beside(value: Any, allowed: re.Pattern[str]) -> str:  # noqa: ANN401 - any plain value
    """On one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(n, _LIST)}: {_beside(v, _LIST)}' for n, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_beside(inner, _LIST) for inner in value)}]"
    return _text(value, allowed)


def _text(value: Any, allowed: re.Pattern[str]) -> str:  # noqa: ANN401 - any plain value
    kind = type(value)
    if kind is str:
        if not allowed.fullmatch(value) or value[-1] in " :" or ": " in value:
            raise NotSimple
        if any(pattern.match(value) for _, pattern in _RESOLVERS.get(value[0], ())):
            raise NotSimple
        return str(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is date:
        return str(value.isoformat())
    raise NotSimple
