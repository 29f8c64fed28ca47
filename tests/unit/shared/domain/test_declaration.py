"""A workspace in YAML: sound, or every fault with its line and a remedy."""

from __future__ import annotations

from importlib import resources

import pytest

from shared.domain.declaration import InvalidDeclaration, read_workspace
from shared.domain.directory import Directory
from shared.domain.lens import Lens

SMALL = """\
name: Small
triage_owner: lotte
departments: [{id: product, name: Product, lens: management}]
people: [{id: lotte, name: Lotte, department: product, emails: [lotte@small.example]}]
products:
  - id: line
    name: Line
    pm: lotte
    stages:
      - id: use
        name: Use
        touchpoints:
          - {id: bill, name: Bill}
          - {id: payment, name: Payment}
"""


def flaws(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidDeclaration) as raised:
        read_workspace(text)
    return [(flaw.spot.line, flaw.message, flaw.remedy) for flaw in raised.value.flaws]


def test_a_small_one_is_enough() -> None:
    assert read_workspace(SMALL).products[0].touchpoints[1].id == "payment"


@pytest.mark.parametrize(
    ("line", "replacement", "at", "message", "remedy"),
    [
        ("name: Small", "nmae: Small", 1, "`nmae` is not known here", "did you mean 'name'?"),
        ("triage_owner: lotte", "triage_owner: lott", 2, "no person 'lott'", "did you mean 'lotte'?"),
        ("triage_owner: lotte", "triage_owner: zed", 2, "no person 'zed'", "declare it under `people`"),
        (
            "lens: management",
            "lens: managment",
            3,
            "'managment' is not possible",
            "did you mean 'management'?",
        ),
        ("department: product", "department: prodct", 4, "no department 'prodct'", "did you mean 'product'?"),
        ("emails: [lotte@small.example]", "emails: lotte@small.example", 4, "should be a list", "[a, b]"),
        ("emails: [lotte@small.example]", "emails: [lotte]", 4, "not a valid email", "name@company.example"),
        ("emails: [lotte@small.example]", "emails: []", 2, "has no address", "`emails`"),
        ("    name: Line", "    name: no", 7, "YAML reads this as False", "put it in quotes"),
        ("  - id: line", "  - id: The Line", 6, "cannot be an id", "lower-case"),
        ("id: payment", "id: bill", 14, "'bill' is declared twice", "give each its own"),
        ("name: Payment}", "name: Payment, after: [bil]}", 14, "no touchpoint 'bil'", "did you mean 'bill'?"),
    ],
)
def test_a_fault_names_its_line_and_a_remedy(
    line: str, replacement: str, at: int, message: str, remedy: str
) -> None:
    found = flaws(SMALL.replace(line, replacement, 1))
    assert any(spot == at and message in said and remedy in what for spot, said, what in found), found


ROUTED = """\
receivers:
  - {id: people, kind: people}
  - {id: crm, kind: webhook}
  - {id: desk, kind: email}
route:
  receiver: people
  routes:
    - {match: ['touchpoint=~"bill("'], receiver: crm}
    - {match: ['moon="full"'], receiver: peple}
"""


def test_routes_and_receivers_are_checked() -> None:
    found = flaws(SMALL + ROUTED)
    assert [line for line, _, _ in found] == [17, 18, 22, 23, 23]
    assert "`url`" in found[0][1]
    assert "`address`" in found[1][1]
    assert "not a regular expression" in found[2][1]
    assert "did you mean 'people'?" in {found[3][2], found[4][2]}


def test_a_secret_itself_is_never_repeated() -> None:
    text = SMALL + "receivers: [{id: crm, kind: webhook, url: 'https://x.example', secret: hunter2}]\n"
    assert "hunter2" not in str(flaws(text))


def test_all_faults_of_shape_are_shown_at_once() -> None:
    text = SMALL.replace("name: Small", "nmae: 1").replace("name: Line", "name: 7")
    assert [line for line, _, _ in flaws(text)] == [1, 1, 7]


def test_the_workspace_that_ships_is_sound_and_rich() -> None:
    text = resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
    directory = Directory(read_workspace(text), 1)
    workspace = directory.workspace
    agents = {agent for touchpoint in directory.touchpoints.values() for agent in touchpoint.agents}
    assert len(workspace.products) == 2
    assert len({product.pm for product in workspace.products}) == 2
    assert all(len(product.stages) >= 3 for product in workspace.products)
    assert len(directory.touchpoints) >= 15
    assert len(agents) >= 12
    assert {words.id for words in workspace.lenses} == set(Lens)
    assert {department.lens for department in workspace.departments} == set(Lens)
    assert all(
        t.description and t.keywords and t.examples and t.agents for t in directory.touchpoints.values()
    )
