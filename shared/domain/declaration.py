"""A workspace as somebody wrote it: YAML in, a sound `Workspace` out, or every flaw with its line.

Shape comes first (keys, types), then meaning (references, what is there twice, matchers): a reference to
somebody whose entry cannot be read yet would be reported for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared import ids
from shared.domain.suggest import did_you_mean
from shared.domain.workspace import Workspace, faults
from shared.domain.yaml_tree import Flaw, Path, Spot, Tree, parse
from shared.errors import ListeningPostError

BASED_ON = "based_on"
_MARK = re.compile(r"[1-9][0-9]{0,8}-[0-9a-f]{8}")
_SHOWN_CHARS = 60
#: By a part of pydantic's name of the error.
_REMEDIES = {
    "date": "write YYYY-MM-DD",
    "url": "write the whole address, from https:// on",
    "bool": "write true or false",
    "int": "write a whole number",
    "float": "write a number",
    "value_error": "write an address like name@company.example",
}


class InvalidDeclaration(ListeningPostError):
    """The text is no sound workspace. `flaws` are in the order of the text, at least one."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = tuple(sorted(flaws))
        count = "1 fault" if len(self.flaws) == 1 else f"{len(self.flaws)} faults"
        super().__init__(f"{count}, the first in line {self.flaws[0].spot.line}")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A file: the workspace it declares, and the mark of the version it was exported from."""

    workspace: Workspace
    based_on: str | None = None


def mark(workspace: Workspace, number: int) -> str:
    """What an export says it is based on: "9-1a2b3c4d". Another installation's version 9 has another mark."""
    said = workspace.model_dump_json(by_alias=True, exclude_defaults=True)
    return f"{number}-{ids.digest(said.encode())[:8]}"


def read_workspace(text: str) -> Workspace:
    """As `read_declaration`, where it does not matter what the file is based on."""
    return read_declaration(text).workspace


def read_declaration(text: str) -> Declaration:
    """What `text` declares. Raises InvalidDeclaration with everything that is wrong with it."""
    tree = parse(text)
    if tree.flaws:
        raise InvalidDeclaration(tree.flaws)
    if not isinstance(tree.value, Mapping):
        raise InvalidDeclaration(
            [Flaw(Spot(1, 1), "a workspace is a list of `key: value`", "see docs/workspace.md")]
        )
    values = dict(tree.value)
    based_on = values.pop(BASED_ON, None)
    if based_on is not None and not (isinstance(based_on, str) and _MARK.fullmatch(based_on)):
        message, remedy = f"`{BASED_ON}` is no mark of a version", "leave it as it was exported, or out"
        raise InvalidDeclaration([Flaw(tree.spot((BASED_ON,)), message, remedy)])
    try:
        workspace = Workspace.model_validate(values)
    except ValidationError as error:
        raise InvalidDeclaration([_shape_flaw(fault, tree) for fault in _causes(error)]) from None
    wrong = [Flaw(tree.spot(fault.path), fault.message, fault.remedy) for fault in faults(workspace)]
    if wrong:
        raise InvalidDeclaration(wrong)
    return Declaration(workspace, based_on)


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Without the lists that count as too short only because one of their entries is at fault."""
    found = error.errors()
    inside = {fault["loc"][:end] for fault in found for end in range(len(fault["loc"]))}
    return [fault for fault in found if fault["type"] != "too_short" or fault["loc"] not in inside]


def _shape_flaw(fault: ErrorDetails, tree: Tree) -> Flaw:
    path: Path = fault["loc"]
    message, remedy = explain(fault, path)
    # An unknown key is wrong itself; what is wrong with a known one is its value.
    spot = tree.key(path) if fault["type"] == "extra_forbidden" else tree.at(path)
    return Flaw(spot or tree.spot(path), message, remedy)


def explain(fault: ErrorDetails, path: Path) -> tuple[str, str]:
    """What is wrong, and what to do, in words that need no knowledge of Python."""
    name, found = _name(path), _shown(fault["input"])
    match fault["type"]:
        case "missing":
            said = f"`{name}` is missing", f"add `{name}:`"
        case "extra_forbidden":
            known = _fields_at(path[:-1])
            said = f"`{name}` is not known here", did_you_mean(name, known, f"known are {', '.join(known)}")
        case "string_type":
            said = f"`{name}` should be a text, and YAML reads this as {found}", "put it in quotes"
        case "string_pattern_mismatch" if "secret" in fault["ctx"]["pattern"]:
            said = "this is no reference to a secret", "write `secret:name`, never the secret itself"
        case "string_pattern_mismatch":
            said = f"{found} cannot be an id", "use lower-case letters, digits, dots and dashes, 64 at most"
        case "tuple_type":
            said = f"`{name}` should be a list, not {found}", "write [a, b], or one a line after `- `"
        case "model_type" | "model_attributes_type":
            known = _fields_at(path)
            said = f"`{name}` should be made of `key: value`, not {found}", f"known are {', '.join(known)}"
        case "too_short":
            said = f"`{name}` needs at least one entry", "declare one"
        case "enum":
            words = [word.strip(" '") for word in fault["ctx"]["expected"].replace(" or ", ",").split(",")]
            remedy = did_you_mean(str(fault["input"]), words, f"possible are {', '.join(words)}")
            said = f"{found} is not possible for `{name}`", remedy
        case _:
            said = f"`{name}`: {_sentence(fault['msg'])} (it is {found})", _remedy(fault["type"])
    return said


def _remedy(kind: str) -> str:
    """For faults that pydantic itself words well enough."""
    return next((remedy for part, remedy in _REMEDIES.items() if part in kind), "mend the value")


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:]


def _name(path: Path) -> str:
    """The last key on the way; a list's item is called after its list."""
    return next((part for part in reversed(path) if isinstance(part, str)), "workspace")


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case Mapping():
            return "a group of `key: value`"
        case list():
            return "a list"
        case _:
            text = repr(value) if isinstance(value, str) else str(value)
            return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def _fields_at(path: Path) -> list[str]:
    """The keys that may stand at `path`, as one writes them."""
    model: object = Workspace
    for part in path:
        model = _below(model, part)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _below(kind: object, part: str | int) -> object:
    """The type one step further down: of a field, or of a list's items."""
    if isinstance(part, str) and isinstance(kind, type) and issubclass(kind, BaseModel):
        by_key = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return _bare(by_key.get(part))
    if isinstance(part, int) and get_origin(kind) is tuple:
        return _bare(get_args(kind)[0])
    return None


def _bare(annotation: object) -> object:
    """Without what says that it may be left out, or how long it may be."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return _bare(next(kind for kind in get_args(annotation) if kind is not type(None)))
    return annotation
