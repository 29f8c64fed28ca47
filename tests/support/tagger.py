"""The standard tagger, loaded once a test run, on the company that ships with the product."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from services.classifier.engines.standard import StandardTagger
from shared.domain.declaration import read_workspace
from shared.domain.directory import Directory
from shared.events.feedback import Tags
from tests.support.feedback import piece


@cache
def example() -> Directory:
    """The example company, as version 1."""
    text = (resources.files("deploy") / "config" / "workspace.yaml").read_text(encoding="utf-8")
    return Directory(read_workspace(text), 1)


@cache
def tagger() -> StandardTagger:
    loaded = StandardTagger()
    loaded.load(example())
    return loaded


def tag(text: str = "", **fields: Any) -> Tags:  # noqa: ANN401 - whatever the event takes
    """The tags of one piece with this text; any field of the event may be given."""
    (tags,) = tagger().tag([piece(text=text, **fields)], example())
    return tags
