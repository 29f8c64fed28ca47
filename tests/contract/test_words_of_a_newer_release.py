"""What a newer release may say in an event or a spool record is read by one that was rolled back.

Each text of each record in turn becomes a word that nobody knows, so that no closed list can be forgotten.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.ingest.spool import record
from shared.domain.lens import Lens
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.errors import InvalidInput
from shared.events.feedback import (
    About,
    Affiliation,
    Cause,
    Change,
    FeedbackClassified,
    Kind,
    Mode,
    Polarity,
    Urgency,
)
from shared.events.topics import TOPICS
from shared.events.words import Else, known
from tests.contract.test_recorded_events import parse, read, recorded

_NEWER = "word-of-a-newer-release"
_FOLDER = Path(__file__).parent / "events"
_FULL = _FOLDER / "feedback.classified.v1.full.json"


@recorded
def test_a_word_is_read_wherever_it_stands(path: Path) -> None:
    tree = read(path)
    for place in _texts(tree["value"]):
        changed = deepcopy(tree)
        _set(changed["value"], place, _NEWER)
        try:
            parse(changed)
        except InvalidInput as error:
            error.add_note(f"in {path.stem}, at {'/'.join(map(str, place))}")
            raise


@recorded
def test_a_field_is_passed_over_wherever_it_stands(path: Path) -> None:
    tree = read(path)
    changed = deepcopy(tree)
    for part in list(_parts(changed["value"])):
        part["of_a_newer_release"] = {"said": [_NEWER]}
    assert parse(changed) == parse(tree)


def test_every_field_is_recorded() -> None:
    """So that what is shown here of the records holds for all there is."""
    seen = {field for path in _FOLDER.glob("*.json") for field in _said(parse(read(path)))}
    declared = {field for topic in TOPICS for field in _fields(topic.event)}
    assert declared - seen == set()


@pytest.mark.parametrize(
    ("place", "means"),
    [
        (("change",), Change.EDITED),
        (("mode",), Mode.BACKFILL),
        (("reported_by", "affiliation"), Affiliation.UNKNOWN),
        (("cause",), Cause.RECLASSIFIED),
        (("tags", "polarity"), Polarity.NEUTRAL),
        (("tags", "kind"), Kind.OTHER),
        (("tags", "about"), About.OTHER),
        (("tags", "urgency"), Urgency.NORMAL),
    ],
)
def test_an_unknown_word_means_what_does_the_least_harm(place: tuple[str, ...], means: str) -> None:
    tree = read(_FULL)
    _set(tree["value"], place, _NEWER)
    found: Any = parse(tree)
    for step in place:
        found = getattr(found, step)
    assert found is means


def test_a_tag_of_an_unknown_lens_is_left_out_and_the_others_stay() -> None:
    tree = read(_FULL)
    tree["value"]["tags"]["lenses"][0]["id"] = _NEWER
    event = parse(tree)
    assert isinstance(event, FeedbackClassified)
    assert [tag.id for tag in event.tags.lenses] == [Lens.DESIGN]


def test_what_is_no_word_at_all_stays_an_error_that_names_the_field() -> None:
    tree = read(_FULL)
    tree["value"]["tags"]["kind"] = 5
    with pytest.raises(InvalidInput, match=r"not a .*: tags/kind$"):
        parse(tree)


def test_only_a_closed_list_has_unknown_words() -> None:
    assert known("praise", Kind.OTHER) is Kind.PRAISE
    assert known(_NEWER, Kind.OTHER) is Kind.OTHER
    words = TypeAdapter(Annotated[Kind, Else(Kind.OTHER)])
    assert words.validate_json('"praise"') is Kind.PRAISE
    assert words.dump_json(Kind.PRAISE) == b'"praise"'
    with pytest.raises(ValidationError):
        words.validate_python(None)


def test_a_spool_record_is_read_whatever_a_newer_release_says_of_it() -> None:
    """A replica adopts the spool of another, also of one that ran another release."""
    noon = read(_FULL)["value"]["received_at"]
    entry = Quarantined(
        "q-1", "mail", "mailbox", QuarantineReason.BOUNCE, "detail", b"raw", 3, datetime.fromisoformat(noon)
    )
    payload = record.encode_aside(entry)
    later = payload.replace(b'"bounce"', b'"mooned"').replace(b'"detail":', b'"detai2":')
    assert len(later) == len(payload)
    with pytest.raises(InvalidInput):
        record.decode(later)
    renamed = record.decode(payload.replace(b'"bounce"', b'"mooned"')).aside
    assert renamed is not None
    assert (renamed.reason, renamed.raw) == (QuarantineReason.UNPARSABLE, b"raw")


def _texts(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    """Where there is one, but for moments."""
    if isinstance(tree, str) and not _is_moment(tree):
        yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in children:
        yield from _texts(value, (*path, name))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _parts(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any part of an event
    """The objects in it, without those whose keys are names."""
    if isinstance(tree, dict):
        yield tree
        for name, value in tree.items():
            if name not in {"parts", "headers"}:
                yield from _parts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _parts(value)


def _set(tree: Any, path: tuple[str | int, ...], value: str) -> None:  # noqa: ANN401
    for step in path[:-1]:
        tree = tree[step]
    tree[path[-1]] = value


def _said(model: BaseModel) -> Iterator[tuple[str, str]]:
    """(model, field) of what says something, in it and in what it holds."""
    for name, value in model:
        if value not in (None, (), {}):
            yield _declared_in(type(model), name), name
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, BaseModel):
                yield from _said(inner)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        yield _declared_in(model, name), name
        for inner in _models(field.annotation):
            yield from _fields(inner)


def _declared_in(model: type[BaseModel], field: str) -> str:
    return next(cls.__name__ for cls in model.__mro__ if field in inspect.get_annotations(cls))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - what typing has
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
