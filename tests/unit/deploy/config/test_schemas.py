from __future__ import annotations

import json
from pathlib import Path

from deploy.config.schemas import main, schemas

_COMMITTED = Path(__file__).parents[4] / "docs" / "schemas"


def test_the_committed_ones_are_those_of_the_events() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in _COMMITTED.glob("*.json")}
    assert committed == schemas(), "run `python -m deploy.config.schemas` and commit what it writes"


def test_a_reader_allows_fields_it_does_not_know() -> None:
    assert all('"additionalProperties": false' not in text for text in schemas().values())


def test_they_are_written_into_a_new_folder(tmp_path: Path) -> None:
    main(tmp_path / "new")
    written = sorted((tmp_path / "new").iterdir())
    assert [path.name for path in written] == sorted(schemas())
    assert json.loads(written[0].read_text(encoding="utf-8"))["$id"].startswith("urn:listeningpost:")
