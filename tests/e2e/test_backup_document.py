"""`docs/backup.md` to the letter: backed up, the volume of MongoDB lost, restored, and nobody told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import compose_books
from tests.support.reader import Reader, commands
from tests.support.wait import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

#: The two pieces: one said before the backup, one after.
_FIRST, _SECOND = "Nobody can read the bill", "The parcel came to the wrong door"
_SAY = f"""
KEY=$(docker compose run --rm -T tools keys create second)
curl -sS --fail "http://127.0.0.1:$PUBLISH_HTTP/v1/feedback" -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" -d '{{"text": "{_SECOND}.", "external_id": "second"}}'
"""
#: Everything that MongoDB had is gone, its users too.
_LOSE = """
docker compose rm --stop --force mongo init
docker volume rm "${COMPOSE_PROJECT_NAME}_mongo"
docker compose up --detach
"""
_READY = "docker compose up --detach --wait"
_WITHIN_S = 120.0


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with Reader(tmp_path, "backup") as reader:
        yield reader


async def test_the_document_does_what_it_says(reader: Reader) -> None:
    reader.begins(commands("operations.md", "The first hour"))
    first = await _all_told(reader, _FIRST)
    said = _typed(reader, "Back up")
    assert (reader.clone / "backups" / "monday.zip").stat().st_size
    assert len(said.splitlines()[-1]) == 44, "the key for confidences"
    reader.types(_SAY)
    second = await _all_told(reader, _SECOND)

    reader.types(_LOSE)
    assert _pieces(reader) == []
    said = _typed(reader, "Restore")
    assert "held" in said
    reader.types(_READY)
    await until(lambda: _held(reader) == second, within_s=_WITHIN_S, what="what came since is read again")
    assert sorted(_pieces(reader)) == ["first", "second"]
    assert (reader.mails(_FIRST), reader.mails(_SECOND)) == (first, second), "nobody is told a second time"

    _typed(reader, "The fence: nothing is sent twice")
    await until(lambda: reader.mails(_SECOND) == 2 * second, within_s=_WITHIN_S, what="they are sent")
    assert reader.mails(_FIRST) == first

    reader.types("docker compose stop ingest classifier notifier console")
    _typed(reader, "By other means")
    reader.types(_READY)
    await until(lambda: _books(reader, "waiting") == {}, within_s=_WITHIN_S, what="all is read again")
    assert sorted(_pieces(reader)) == ["first", "second"]
    assert (reader.mails(_FIRST), reader.mails(_SECOND)) == (first, 2 * second)


def _typed(reader: Reader, heading: str) -> str:
    """Line by line: whoever does not ask would swallow the answer to the next question."""
    lines = commands("backup.md", heading).splitlines()
    return "".join(reader.types(line, answers="y\n") for line in lines)


async def _all_told(reader: Reader, words: str) -> int:
    """How many mails a piece made, once there will be no more."""

    def ended() -> bool:
        states = {row["state"] for row in _books(reader, "deliveries")}
        assert states, "nobody is to be told yet"
        assert not states & {"due", "sending"}, states
        return reader.mails(words) > 0

    await until(ended, within_s=_WITHIN_S, what="everybody is told")
    return reader.mails(words)


def _held(reader: Reader) -> int:
    return sum(row["state"] == "held" for row in _books(reader, "deliveries"))


def _pieces(reader: Reader) -> list[str]:
    return [piece["name"] for piece in _books(reader, "pieces")]


def _books(reader: Reader, part: str) -> Any:  # noqa: ANN401 - JSON
    program = Path(compose_books.__file__).read_text(encoding="utf-8")
    asked = f"docker compose run --rm -T --entrypoint python tools - {part} 2>/dev/null"
    return json.loads(reader.types(asked, answers=program).splitlines()[-1])[part]
