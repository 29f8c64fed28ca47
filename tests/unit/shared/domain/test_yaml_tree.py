"""Values keep their line; what cannot be read says where and what to do."""

from __future__ import annotations

import pytest

from shared.domain.yaml_tree import Spot, parse


def test_every_value_knows_where_it_stands() -> None:
    tree = parse("name: X\npeople:\n  - id: a\n    emails: [one, two]\n")
    assert tree.value == {"name": "X", "people": [{"id": "a", "emails": ["one", "two"]}]}
    assert tree.spot(("people", 0, "emails")) == Spot(4, 5)
    assert tree.spot(("people", 0, "emails", 1)) == Spot(4, 19)
    assert tree.spot(("people", 0, "department")) == Spot(3, 5)


@pytest.mark.parametrize(
    ("text", "spot", "remedy"),
    [
        ("a:\n\tb: 1", Spot(2, 1), "spaces"),
        ("a: [b, c}", Spot(1, 9), "quotes"),
        ("a: b: c", Spot(1, 5), "quotes"),
        ("a:\n  b: 1\n c: 2", Spot(3, 2), "indentation"),
        ("a: *b", Spot(1, 4), "anchor"),
        ("a: 1\nb: 2\na: 3", Spot(3, 1), "keep one"),
        ("no: 1", Spot(1, 1), "quotes"),
        ("a: 2027-13-44", Spot(1, 4), "YYYY-MM-DD"),
        ("a: !python/object:os.system x", Spot(1, 4), "tag"),
        ("a: x\x07", Spot(1, 5), "delete"),
        ("", Spot(1, 1), "name:"),
        ("- &x [*x]", Spot(1, 3), "contain itself"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_do(text: str, spot: Spot, remedy: str) -> None:
    (flaw,) = parse(text).flaws
    assert flaw.spot == spot
    assert remedy in flaw.remedy


def test_aliases_and_merged_mappings_are_what_they_stand_for() -> None:
    tree = parse("a: &one {x: 1, y: 2}\nb:\n  <<: *one\n  y: 3\nc: *one\n")
    assert tree.flaws == []
    assert tree.value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


def test_ten_aliases_of_ten_aliases_end() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    (flaw,) = parse("\n".join(lines)).flaws
    assert "without end" in flaw.message


def test_what_is_nested_too_deeply_is_a_flaw_and_not_the_end_of_the_process() -> None:
    for depth in (200, 5_000, 100_000):
        (flaw,) = parse("a: " + "[" * depth + "]" * depth).flaws
        assert "without end" in flaw.message
        assert flaw.spot.line == 1


def test_of_a_key_that_is_merged_and_written_out_the_latter_counts() -> None:
    tree = parse("a: &one {x: 1}\nb:\n  <<: *one\n  x: 3\n")
    assert tree.at(("b", "x")) == Spot(4, 6)
    assert tree.key(("b", "x")) == Spot(4, 3)
    assert tree.key(("b", "y")) is None
    assert tree.at(("a", 0)) is None
