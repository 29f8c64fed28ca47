"""What holds of the documents as a whole: links lead somewhere, commands and settings they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.cli.main import COMMANDS
from deploy.config.reference import groups
from tests.support.tree import ROOT

_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_VARIABLE = re.compile(r"LISTENINGPOST_[A-Z0-9_]*[A-Z0-9]")
_COMMAND = re.compile(r"\blisteningpost ([a-z][a-z-]+)")
_KNOWN = {setting.variable for group in groups() for setting in group.settings}

each_page = pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = _HEADING.findall(page.read_text(encoding="utf-8"))
    words = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {word.strip().replace(" ", "-") for word in words}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@each_page
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # In code alone: elsewhere it may be the name of the product.
    code = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    named = set(_COMMAND.findall(code)) - {"command"}
    assert named <= set(COMMANDS), named - set(COMMANDS)


@each_page
def test_settings_that_are_named_exist(page: Path) -> None:
    for variable in set(_VARIABLE.findall(page.read_text(encoding="utf-8"))):
        begun = any(known.startswith(variable) for known in _KNOWN)
        secret = variable.startswith(
            ("LISTENINGPOST_SECRETS__", "LISTENINGPOST_TEST", "LISTENINGPOST_FAILPOINT")
        )
        assert begun or secret, variable


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in _LINK.findall(index)}
    missing = [
        str(page.relative_to(ROOT))
        for page in _PAGES
        if page.is_relative_to(ROOT / "docs") and page.name != "README.md"
        # These have an index of their own.
        if not {"adr", "runbooks"} & set(page.parts)
        if page.resolve() not in linked
    ]
    assert not missing
