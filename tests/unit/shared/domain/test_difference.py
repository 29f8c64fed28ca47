"""What `apply` says has changed."""

from __future__ import annotations

from shared.domain.difference import Difference, differences
from shared.domain.workspace import Workspace
from tests.support.company import COMPANY


def company(**changes: object) -> Workspace:
    return Workspace.model_validate({**COMPANY, **changes})


def test_nothing_has_changed() -> None:
    assert differences(company(), company()) == ()


def test_against_nothing_everything_is_new() -> None:
    found = {difference.what: difference for difference in differences(None, company())}
    assert set(found) >= {"people", "departments", "products", "touchpoints", "stages"}
    assert all(difference.added and not difference.removed for difference in found.values())


def test_people_come_go_and_change() -> None:
    people = [*COMPANY["people"][1:], {"id": "new", "name": "New", "department": "sales"}]
    people[0] = {**people[0], "title": "Owner", "slack_ids": []}
    (found,) = differences(company(), company(people=people))
    gone = COMPANY["people"][0]["id"]
    assert found == Difference("people", ("new",), (gone,), ((people[0]["id"], ("slack_ids", "title")),))


def test_what_is_not_a_list_is_named() -> None:
    (found,) = differences(company(), company(name="Other", competitors=["Rival"]))
    assert found.changed == (("name", ()), ("competitors", ()))


def test_the_order_of_a_journey_is_a_change_and_that_of_people_is_none() -> None:
    products = [
        {
            **product,
            "stages": [
                {**stage, "touchpoints": list(reversed(stage["touchpoints"]))} for stage in product["stages"]
            ],
        }
        for product in COMPANY["products"]
    ]
    found = differences(company(), company(products=products, people=list(reversed(COMPANY["people"]))))
    assert [(difference.what, difference.reordered) for difference in found] == [("touchpoints", True)]


def test_a_touchpoint_that_moves_to_another_stage_has_changed() -> None:
    first, *rest = COMPANY["products"]
    stages = [{**stage, "id": f"{stage['id']}-2"} for stage in first["stages"]]
    found = {
        d.what: d for d in differences(company(), company(products=[{**first, "stages": stages}, *rest]))
    }
    assert found["stages"].added
    assert found["stages"].removed
    assert all(fields == ("stage",) for _, fields in found["touchpoints"].changed)
