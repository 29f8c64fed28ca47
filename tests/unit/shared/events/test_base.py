"""Instances of values that are valid already."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.events.base import trusted
from shared.events.feedback import Affiliation, Speaker

VALUES = Speaker(person_id="ada", display_name="Ada", affiliation=Affiliation.CUSTOMER).__dict__


def test_a_trusted_one_is_as_a_validated_one() -> None:
    made, validated = trusted(Speaker, dict(VALUES)), Speaker(**VALUES)
    assert made == validated
    assert made.model_dump_json() == validated.model_dump_json()
    assert made.model_fields_set == validated.model_fields_set
    with pytest.raises(ValidationError, match="frozen"):
        made.person_id = "bob"  # type: ignore[misc]


def test_a_changed_copy_leaves_the_others_alone() -> None:
    first, second = trusted(Speaker, dict(VALUES)), trusted(Speaker, dict(VALUES))
    changed = first.model_copy(update={"person_id": "bob"})
    changed.model_fields_set.clear()
    assert (changed.person_id, first.person_id, second.person_id) == ("bob", "ada", "ada")
    assert first.model_fields_set == second.model_fields_set == set(VALUES)
