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
#: Deeper than any text that is read, and far from where a stack ends.
_MAX_COMPOSED = 100
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_ENDLESS = ("this is nested without end", "an alias (`*name`) must not contain itself")


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
    """`value` is dicts, lists and scalars. Where each stands is looked up in `root` when it is asked for.

    A file with ten thousand accounts has two hundred thousand values, of which a few are asked for.
    """

    value: object = None
    flaws: list[Flaw] = field(default_factory=list)
    root: yaml.Node | None = None

    def spot(self, path: Path) -> Spot:
        """Where `path` stands; for what is not there, where it should have been."""
        found = Spot(1, 1) if self.root is None else _spot(self.root.start_mark)
        for key, node in self._way(path):
            found = _spot((key or node).start_mark)
        return found

    def key(self, path: Path) -> Spot | None:
        """Where the key at the end of `path` stands; None where there is none."""
        found = list(self._way(path))
        key = found[-1][0] if found and len(found) == len(path) else None
        return None if key is None else _spot(key.start_mark)

    def at(self, path: Path) -> Spot | None:
        """Where the value of `path` stands; None where there is none."""
        found = [node for _, node in self._way(path)] if path else [self.root]
        node = found[-1] if found and len(found) == max(len(path), 1) else None
        return None if node is None else _spot(node.start_mark)

    def _way(self, path: Path) -> Iterator[tuple[yaml.Node | None, yaml.Node]]:
        """(key, value) of each step, as far as there are any; an item of a list has no key."""
        node = self.root
        for part in path:
            key = None
            if isinstance(node, yaml.MappingNode):
                # What is written out comes last, after what `<<` stands for.
                pairs = (pair for pair in reversed(node.value) if pair[0].value == part)
                key, node = next(pairs, (None, None))
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
            else:
                return
            if node is None:
                return
            yield key, node


class _TooDeep(yaml.YAMLError):
    """The C library composes what is nested on the stack, and a hundred thousand brackets end the process."""

    def __init__(self, mark: yaml.Mark) -> None:
        super().__init__()
        self.mark = mark


class _Shallow:
    """Of a loader: what is nested too deeply ends it. Both loaders call these two around each node."""

    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, _: object) -> None:
        self._depth += 1
        if self._depth > _MAX_COMPOSED and parent is not None:
            raise _TooDeep(parent.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


class _Loader(_Shallow, yaml.SafeLoader):
    """Written in Python: four times slower, and its complaints say more."""


class _FastLoader(_Shallow, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # made at run time
    """Written in C, where PyYAML was built with it."""


def parse(text: str) -> Tree:
    """The one document in `text`. What cannot be read is in `flaws`, and then `value` is not whole."""
    try:
        loader, node = _composed(text)
    except _TooDeep as error:
        return Tree(flaws=[Flaw(_spot(error.mark), *_ENDLESS)])
    except yaml.YAMLError as error:
        return Tree(flaws=[_syntax_flaw(error, text)])
    if node is None:
        return Tree(flaws=[Flaw(Spot(1, 1), "there is nothing in it", "begin with `name: Your company`")])
    reader = _Reader(loader)
    return Tree(reader.read(node, 0), reader.flaws, node)


def _composed(text: str) -> tuple[yaml.SafeLoader, yaml.Node | None]:
    try:
        fast: yaml.SafeLoader = _FastLoader(text)
        return fast, fast.get_single_node()
    except _TooDeep:
        raise
    except yaml.YAMLError:
        loader = _Loader(text)
        return loader, loader.get_single_node()


class _Reader:
    """One pass over the nodes; flaws are collected, so that one run shows them all."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.flaws: list[Flaw] = []
        self._loader = loader
        self._seen = 0
        self._gave_up = False

    def read(self, node: yaml.Node, depth: int) -> object:
        self._seen += 1
        if self._gave_up or depth > _MAX_DEPTH or self._seen > _MAX_VALUES:
            # Said once; and nothing more is read, or two such aliases would take 2^40 steps to say so.
            if not self._gave_up:
                self._flaw(_spot(node.start_mark), *_ENDLESS)
            self._gave_up = True
            return None
        if isinstance(node, yaml.MappingNode):
            return self._entries(node, depth + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, depth + 1) for child in node.value]
        return self._scalar(node)

    def _entries(self, node: yaml.MappingNode, depth: int) -> dict[str, object]:
        own: dict[str, yaml.Node] = {}
        merges = False
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                merges = True
                continue
            key = self._scalar(key_node)
            if not isinstance(key, str):
                said = f"a key must be text, and YAML reads this one as {key!r}"
                self._flaw(_spot(key_node.start_mark), said, "put it in quotes")
            elif key in own:
                said = f"{key!r} is given twice; the first is in line {own[key].start_mark.line + 1}"
                self._flaw(_spot(key_node.start_mark), said, "keep one of them")
            else:
                own[key] = key_node
        if merges:
            # Puts in what `<<: *defaults` stands for; what is written out comes last and so wins.
            self._loader.flatten_mapping(node)
        keys = ((self._scalar(key_node), child) for key_node, child in node.value)
        return {key: self.read(child, depth) for key, child in keys if isinstance(key, str)}

    def _scalar(self, node: yaml.Node) -> object:
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
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
        self.flaws.append(Flaw(spot, message, remedy))


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
