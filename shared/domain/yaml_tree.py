"""YAML as plain values in which every value still knows its line: for messages that say where a fault is.

PyYAML builds a tree of nodes with positions and then throws the positions away; here they are kept. Reading a
text is not I/O: whoever calls this has opened the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]

# An alias may name what contains it, and ten aliases of ten aliases of ten are a thousand: both must end.
_MAX_DEPTH = 40
_MAX_VALUES = 500_000
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in a text; both count from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """Something wrong at a place, and what to do about it."""

    spot: Spot
    message: str
    remedy: str = ""


@dataclass(slots=True)
class Tree:
    """`value` is dicts, lists and scalars; `keys` says where a key stands, `values` where its value does."""

    value: object = None
    keys: dict[Path, Spot] = field(default_factory=dict)
    values: dict[Path, Spot] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def spot(self, path: Path) -> Spot:
        """Where `path` stands; for what is not there, where it should have been."""
        for end in range(len(path), 0, -1):
            found = self.keys.get(path[:end]) or self.values.get(path[:end])
            if found is not None:
                return found
        return self.values.get((), Spot(1, 1))


def parse(text: str) -> Tree:
    """The one document in `text`. What cannot be read is in `flaws`, and then `value` is not whole."""
    loader = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        return Tree(flaws=[_syntax_flaw(error, text)])
    if node is None:
        return Tree(flaws=[Flaw(Spot(1, 1), "there is nothing in it", "begin with `name: Your company`")])
    reader = _Reader(loader)
    reader.tree.value = reader.read(node, ())
    return reader.tree


class _Reader:
    """One pass over the nodes; flaws are collected, so that one run shows them all."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.tree = Tree()
        self._loader = loader
        self._seen = 0
        self._gave_up = False

    def read(self, node: yaml.Node, path: Path) -> object:
        spot = _spot(node.start_mark)
        self.tree.values.setdefault(path, spot)
        self._seen += 1
        if self._gave_up or len(path) > _MAX_DEPTH or self._seen > _MAX_VALUES:
            # Said once; and nothing more is read, or two such aliases would take 2^40 steps to say so.
            if not self._gave_up:
                self._flaw(spot, "this is nested without end", "an alias (`*name`) must not contain itself")
            self._gave_up = True
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, object]]:
        own: dict[str, Spot] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key, spot = self._scalar(key_node), _spot(key_node.start_mark)
            if not isinstance(key, str):
                self._flaw(
                    spot, f"a key must be text, and YAML reads this one as {key!r}", "put it in quotes"
                )
            elif key in own:
                self._flaw(
                    spot, f"{key!r} is given twice; the first is in line {own[key].line}", "keep one of them"
                )
            else:
                own[key] = spot
        # Puts in what `<<: *defaults` stands for; what is written out comes last and so wins.
        self._loader.flatten_mapping(node)
        for key_node, child in node.value:
            key = self._scalar(key_node)
            if isinstance(key, str):
                self.tree.keys[(*path, key)] = _spot(key_node.start_mark)
                yield key, self.read(child, (*path, key))

    def _scalar(self, node: yaml.Node) -> object:
        try:
            return self._loader.construct_object(node)
        except yaml.MarkedYAMLError as error:
            self._flaw(_spot(node.start_mark), error.problem or "cannot be read", "leave out the tag")
        except ValueError:
            self._flaw(
                _spot(node.start_mark), f"{node.value!r} is no day or time that exists", "write YYYY-MM-DD"
            )
        return None

    def _flaw(self, spot: Spot, message: str, remedy: str) -> None:
        self.tree.flaws.append(Flaw(spot, message, remedy))


def _spot(mark: yaml.Mark) -> Spot:
    return Spot(mark.line + 1, mark.column + 1)


def _syntax_flaw(error: yaml.YAMLError, text: str) -> Flaw:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        spot = Spot(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        return Flaw(spot, f"the character U+{_code_point(error):04X} cannot be in a YAML file", "delete it")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "this is no YAML"
    context = getattr(error, "context", None)
    return Flaw(
        _spot(mark) if mark else Spot(1, 1),
        f"{problem} ({context})" if context else problem,
        _syntax_remedy(problem),
    )


def _code_point(error: yaml.reader.ReaderError) -> int:
    return ord(error.character) if isinstance(error.character, str) else int(error.character)


def _syntax_remedy(problem: str) -> str:
    """What is usually behind one of PyYAML's own sentences."""
    if "\\t" in problem:
        return "indent with spaces, never with tabs"
    if "',' or ']'" in problem or "',' or '}'" in problem:
        return "close the bracket; a text that holds any of , ? : [ ] { } needs quotes inside brackets"
    if "mapping values are not allowed" in problem:
        return "a text that holds `: ` needs quotes; or the line is indented too far"
    if "block end" in problem:
        return "look at the indentation here and in the lines above"
    if "alias" in problem:
        return "give the anchor (`&name`) before its use (`*name`)"
    return "look at this line and the one above: quotes, brackets, indentation"
