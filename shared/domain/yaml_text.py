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
from shared.domain.yaml_lines import WIDTH_CHARS, NotSimple, fits_on_a_line, is_word, item

_Plain: TypeAlias = Any
_RULE = "─"
_TEXT = "tag:yaml.org,2002:str"
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
    return f"\n# {_RULE * 2} {words} ".ljust(WIDTH_CHARS + 1, _RULE) + "\n"


def _section(name: str, value: _Plain) -> str:
    if not (isinstance(value, list) and value and all(isinstance(inner, Mapping) for inner in value)):
        return _written(name, value)
    return f"{name}:\n" + "".join(_entity(name, inner) for inner in value)


def _entity(name: str, value: Mapping[str, _Plain]) -> str:
    """One of a list: how it is laid out does not depend on its neighbours."""
    try:
        return item(value)
    except NotSimple:
        return _written(name, [value]).partition("\n")[2]


def _written(name: str, value: _Plain) -> str:
    stream = io.StringIO()
    node = _mapping({name: value}, flow=False)
    yaml.serialize(node, stream, Dumper=_Dumper, width=WIDTH_CHARS, allow_unicode=True)
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
            return _mapping(value, flow=fits_on_a_line(value))
        case list():
            return _sequence(value)
        case _:
            return _scalar(value)


def _mapping(values: Mapping[str, _Plain], *, flow: bool) -> yaml.Node:
    pairs = [(_scalar(name), _node(inner)) for name, inner in values.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=flow)


def _sequence(values: Sequence[_Plain]) -> yaml.Node:
    flow = all(is_word(inner) for inner in values)
    return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node(inner) for inner in values], flow_style=flow)


def _scalar(value: _Plain) -> yaml.Node:
    if isinstance(value, str):
        node: yaml.Node = yaml.ScalarNode(_TEXT, value)
    else:
        node = yaml.SafeDumper(io.StringIO()).represent_data(value)
    if isinstance(node, yaml.ScalarNode):
        if not node.value.replace("\n", "").isprintable():
            # Among it what YAML takes for the end of a line, and we do not (U+0085, U+2028).
            node.style = '"'
        elif node.value == "\n" or node.value.endswith("\n\n"):
            # A block that keeps its empty lines is open-ended: PyYAML ends the document after it, with `...`.
            node.style = '"'
        elif "\n" in node.value:
            node.style = "|"
    return node
