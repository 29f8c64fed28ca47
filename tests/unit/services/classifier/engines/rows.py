"""The tables of `said.yaml`, as rows for parametrised tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

_SAID = yaml.safe_load(Path(__file__).with_name("said.yaml").read_text(encoding="utf-8"))


class Row(NamedTuple):
    """`urgent` holds the reasons, in alphabetical order, separated by spaces."""

    text: str
    polarity: str
    kind: str
    about: str
    urgent: str


def _rows() -> list[Row]:
    rows = []
    for expected, texts in _SAID["sentences"].items():
        polarity, kind, about, *reasons = expected.split()
        rows += [Row(text, polarity, kind, about, " ".join(reasons)) for text in texts]
    return rows


ROWS = _rows()
EXAMPLES = [row for row in ROWS if row.kind == "example"]
#: Whole messages and their polarity.
MESSAGES = [(text, polarity) for polarity, texts in _SAID["messages"].items() for text in texts]
#: What is said of the example company, and the touchpoint it belongs to; empty: to none.
SAID_OF_TOUCHPOINTS = [
    (text, "" if touchpoint == "nowhere" else touchpoint)
    for touchpoint, texts in _SAID["touchpoints"].items()
    for text in texts
]
