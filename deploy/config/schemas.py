"""Writes the JSON Schema of every event to docs/schemas: `python -m deploy.config.schemas`.

They say what a reader accepts, so that fields with a default are not required and unknown ones are allowed.
Source: JSON Schema 2020-12; CloudEvents 1.0, attribute `dataschema`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from shared.events.base import Event
from shared.events.topics import TOPICS, Topic

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """The text of each schema by its file's name, which is the event's type."""
    return {f"{kind.type}.json": _render(kind, topics) for kind, topics in _topics_of().items()}


def _topics_of() -> dict[type[Event], list[Topic]]:
    found: dict[type[Event], list[Topic]] = {}
    for topic in TOPICS:
        found.setdefault(topic.event, []).append(topic)
    return found


def _render(kind: type[Event], topics: list[Topic]) -> str:
    schema = {
        "$schema": _DIALECT,
        "$id": f"urn:{kind.type.replace('.', ':')}",
        "$comment": "topics: " + ", ".join(topic.name for topic in topics),
        **kind.model_json_schema(mode="validation"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else "docs/schemas"))
