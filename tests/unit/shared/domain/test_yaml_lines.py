"""What is written without PyYAML is, to the byte, what PyYAML would have written."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import yaml_text
from shared.domain.yaml_lines import NotSimple, item
from tests.unit.shared.domain.test_yaml_text import EXAMPLE, ODD

NAMES = st.sampled_from(("id", "name", "domains", "min-value", "on", "no", "a b", "null"))
WORDS = ODD | st.sampled_from(
    (
        *(
            "plain",
            "two words",
            "Müller & Söhne",
            "a, b",
            "https://x.example/a?b=c",
            "name@x.example",
            "x" * 60,
        ),
        *(
            "yes and no",
            "1and1",
            "2027-01",
            "1_000",
            "0b1",
            "12:30",
            "=",
            "a=b",
            "what?",
            "it's",
            'a "b"',
            "ö",
        ),
        *("a  b", "x " * 60, "e1", "1e1", ".5", "-1", "on", "null", "~", "a:b", "a:", "a #b", "a#b"),
    )
)
SCALARS = (
    WORDS | st.text(max_size=12) | st.integers() | st.booleans() | st.dates() | st.none() | st.floats(0, 9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def by_pyyaml(entity: dict[str, Any]) -> str:
    return yaml_text._written("people", [entity]).partition("\n")[2]


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=6))
@settings(max_examples=300)
def test_it_is_what_pyyaml_writes_or_left_to_it(entity: dict[str, Any]) -> None:
    try:
        written = item(entity)
    except NotSimple:
        return
    assert written == by_pyyaml(entity)


@pytest.mark.parametrize(
    "entity",
    [
        {"id": "a", "name": "Anna Berg"},
        {"id": "a", "renewal": date(2027, 3, 31), "fit": 3, "open": True},
        {"id": "a", "name": "n" * 60, "domains": ["a.example", "b.example"], "text": "x, y"},
        {"id": "n" * 60, "contacts": [{"email": "a@b.example", "name": "Ada"}, {"email": "c@d.example"}]},
        {"id": "n" * 90, "contacts": [{"id": "n" * 80, "notes": ["s" * 45, "t" * 50]}], "empty": []},
        {"id": "n" * 90, "rule": {"words": ["s" * 45, "t" * 50], "in": {"a": 1}}},
    ],
)
def test_what_is_simple_is_not_left_to_it(entity: dict[str, Any]) -> None:
    assert item(entity) == by_pyyaml(entity)


def test_the_example_is_what_pyyaml_alone_writes() -> None:
    values = yaml_text._plain(EXAMPLE.model_dump(by_alias=True, exclude_defaults=True))
    for name in ("departments", "people", "products", "accounts", "receivers"):
        assert yaml_text._section(name, values[name]) == yaml_text._written(name, values[name])
