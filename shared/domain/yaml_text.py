"""A workspace written out as YAML: what `apply` reads back as the same workspace, laid out to be edited.

The same workspace gives the same bytes. What is at its default is left out; what is short stands on one line.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

import yaml
from pydantic import AnyUrl

from shared.domain.workspace import Workspace

_Plain: TypeAlias = Any
#: Where a line ends, or after the word that crosses it.
_WIDTH_CHARS = 100
#: An entity that is no longer than this, written on one line.
_LINE_CHARS = 96
#: Words stand side by side, sentences below each other.
_WORDS_CHARS = 44
_RULE = "─"
#: What stands above a section; those without one follow each other without a gap.
_HEADINGS = {
    "departments": "Departments: each looks at the customer through one of the eight lenses",
    "people": "People",
    "products": "Products and their journeys, in the order of the journey",
    "lenses": "Lenses: what this company calls the things that concern each",
    "segments": "Whom we serve: what a voice weighs; 1.0 is neutral",
    "personas": "Personas",
    "accounts": "Customer accounts",
    "receivers": "Where notices go",
    "route": "Which notices go there",
}


def write_workspace(workspace: Workspace, based_on: str | None = None) -> str:
    """YAML that `read_declaration` reads as this workspace, with `based_on` at the top when it is given."""
    values = _plain(workspace.model_dump(by_alias=True, exclude_defaults=True))
    parts = []
    if based_on is not None:
        parts.append("# `listeningpost apply` compares this file with the version it was made from.\n")
        parts.append(_section("based_on", based_on) + "\n")
    for name in values:
        if name in _HEADINGS:
            parts.append(_heading(_HEADINGS[name]))
        parts.append(_section(name, values[name]))
    return "".join(parts)


def _heading(words: str) -> str:
    return f"\n# {_RULE * 2} {words} ".ljust(_WIDTH_CHARS + 1, _RULE) + "\n"


def _section(name: str, value: _Plain) -> str:
    stream = io.StringIO()
    node = _mapping({name: value}, flow=False)
    yaml.serialize(node, stream, Dumper=_Dumper, width=_WIDTH_CHARS, allow_unicode=True)
    return stream.getvalue()


class _Dumper(yaml.SafeDumper):
    """Lists stand further in than what they belong to."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        del indentless
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML calls it so


def _plain(value: Any) -> _Plain:  # noqa: ANN401 - whatever a model holds
    """In the kinds of value YAML has."""
    match value:
        case Mapping():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case Enum():
            return value.value
        case AnyUrl():
            return str(value)
        case _:
            return value


def _node(value: _Plain) -> yaml.Node:
    match value:
        case Mapping():
            return _mapping(value, flow=_fits_on_a_line(value))
        case list():
            return _sequence(value)
        case _:
            return _scalar(value)


def _mapping(values: Mapping[str, _Plain], *, flow: bool) -> yaml.Node:
    pairs = [(_scalar(name), _node(inner)) for name, inner in values.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=flow)


def _sequence(values: Sequence[_Plain]) -> yaml.Node:
    flow = all(_is_word(inner) for inner in values)
    return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node(inner) for inner in values], flow_style=flow)


def _scalar(value: _Plain) -> yaml.Node:
    node = yaml.SafeDumper(io.StringIO()).represent_data(value)
    if isinstance(node, yaml.ScalarNode):
        if not node.value.replace("\n", "").isprintable():
            # Among it what YAML takes for the end of a line, and we do not (U+0085, U+2028).
            node.style = '"'
        elif "\n" in node.value:
            node.style = "|"
    return node


def _is_word(value: _Plain) -> bool:
    text = str(value)
    return not isinstance(value, Mapping | list) and len(text) <= _WORDS_CHARS and "\n" not in text


def _fits_on_a_line(values: Mapping[str, _Plain]) -> bool:
    return "\n" not in str(list(values.values())) and len(str(values)) - 4 * len(values) <= _LINE_CHARS
