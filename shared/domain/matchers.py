"""Matchers like `touchpoint=~"invoice.*"`: their grammar, and regular expressions that cannot run away.

Source of the grammar: Prometheus Alertmanager, matchers of a route.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shared.errors import InvalidInput, Reason

#: What a route may match on. A label may have several values; one that is missing counts as empty.
LABELS = (
    "product",
    "touchpoint",
    "stage",
    "lens",
    "department",
    "polarity",
    "kind",
    "about",
    "urgency",
    "channel",
    "mode",
    "segment",
    "account",
    "language",
    "needs_triage",
    "confidential",
)
Labels: TypeAlias = Mapping[str, tuple[str, ...]]

_MATCHER = re.compile(
    r'\s*([a-z_]+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"\'{},=!~]*))\s*', re.DOTALL
)
_ESCAPE = re.compile(r'\\([\\"n])')
_UNTESTED = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_MOST_CHARS = 200
_MOST_VALUE_CHARS = 200
#: What a regular expression may hold. Without repeated groups the time to match grows with the power of its
#: repetitions (200³ steps take a fraction of a second) and doubles with each `?`.
_MOST_GROUPS, _MOST_REPETITIONS, _MOST_OPTIONS = 4, 3, 8


class Operator(StrEnum):
    IS = "="
    IS_NOT = "!="
    FITS = "=~"
    FITS_NOT = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A positive one holds if any value of the label does; a negative one if none does."""

    label: str
    operator: Operator
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, labels: Labels) -> bool:
        values = labels.get(self.label) or ("",)
        if self.pattern is None:
            found = self.value in values
        else:
            found = any(self.pattern.fullmatch(value[:_MOST_VALUE_CHARS]) for value in values)
        return found is (self.operator in {Operator.IS, Operator.FITS})


def parse_matcher(text: str) -> Matcher:
    """`label operator value`, the value quoted or a bare word; regular expressions match the whole value.

    Raises InvalidInput whose detail names the matcher and what is wrong with it.
    """
    parsed = _MATCHER.fullmatch(text)
    if parsed is None:
        raise _fault(text, 'it reads like label="value", with one of = != =~ !~')
    label, operator = parsed[1], Operator(parsed[2])
    if label not in LABELS:
        raise _fault(text, f"there is no label {label!r}; there are {', '.join(LABELS)}")
    value = _unescaped(parsed[3]) if parsed[3] is not None else parsed[4]
    if operator in {Operator.IS, Operator.IS_NOT}:
        return Matcher(label, operator, value)
    return Matcher(label, operator, value, _pattern(text, value))


def _unescaped(quoted: str) -> str:
    """Quote, backslash and newline are the only escapes: what a regular expression escapes stays escaped."""
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], quoted)


def _pattern(text: str, value: str) -> re.Pattern[str]:
    if len(value) > _MOST_CHARS:
        raise _fault(text, f"a regular expression has at most {_MOST_CHARS} characters")
    bare = _UNTESTED.sub("x", value)
    if re.search(r"\)[*+{]", bare):
        raise _fault(text, "a repeated group could take for ever to match; repeat a character")
    if re.search(r"\(\?(?![:i])", bare) or re.search(r"\\[1-9]", value):
        raise _fault(text, "look-arounds, named groups and back-references are not available")
    if (
        bare.count("(") > _MOST_GROUPS
        or len(re.findall(r"[*+{]", bare)) > _MOST_REPETITIONS
        or bare.count("?") > _MOST_OPTIONS
    ):
        most = f"{_MOST_GROUPS} groups, {_MOST_REPETITIONS} repetitions and {_MOST_OPTIONS} question marks"
        raise _fault(text, f"a regular expression has at most {most}")
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise _fault(text, f"not a regular expression ({error})") from None


def _fault(text: str, remedy: str) -> InvalidInput:
    return InvalidInput(Reason.MALFORMED, f"the matcher {text[:_MOST_CHARS]!r} cannot be used: {remedy}")
