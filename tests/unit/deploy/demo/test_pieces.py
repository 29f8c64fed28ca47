"""The demo's pieces are many, mixed, and say what is expected of them."""

from __future__ import annotations

import struct
import zlib
from importlib import resources

from deploy.demo.pieces import Act, Door, Outcome, load_pieces
from deploy.demo.screenshot import screenshot
from shared.domain.declaration import read_workspace
from shared.domain.directory import Directory
from shared.events.feedback import Kind, Polarity

PIECES = load_pieces()
BY_ID = {piece.id: piece for piece in PIECES}


def test_there_are_sixty_of_every_kind_in_four_languages_through_three_doors() -> None:
    assert len(BY_ID) == len(PIECES) >= 60
    assert {piece.door for piece in PIECES} == set(Door)
    assert {piece.act for piece in PIECES} == set(Act)
    assert {piece.outcome for piece in PIECES} == set(Outcome)
    assert {piece.expect.polarity for piece in PIECES} >= {Polarity.KEEP, Polarity.CHANGE, Polarity.NEUTRAL}
    assert {piece.expect.kind for piece in PIECES} >= {Kind.PRAISE, Kind.PROBLEM, Kind.IDEA, Kind.QUESTION}
    assert {piece.expect.language for piece in PIECES} >= {"de", "en", "fr", "es"}


def test_what_is_changed_or_repeated_was_said_before_through_the_same_door() -> None:
    for number, piece in enumerate(PIECES):
        if piece.of is not None:
            original = BY_ID[piece.of]
            assert PIECES.index(original) < number
            assert original.door is piece.door


def test_expectations_name_what_the_workspace_has() -> None:
    text = resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
    directory = Directory(read_workspace(text), 1)
    for piece in PIECES:
        for tags in (piece.expect, piece.must):
            assert tags.touchpoint is None or tags.touchpoint in directory.touchpoints, piece.id
        assert set(piece.told or ()) <= set(directory.people), piece.id
        if piece.door is Door.SLACK and piece.act is not Act.BOT and piece.who:
            assert directory.who_is("slack", piece.who).person is not None, piece.id


def test_the_screenshot_is_a_picture() -> None:
    png = screenshot()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    (size,) = struct.unpack(">I", png[start - 8 : start - 4])
    pixels = zlib.decompress(png[start : start + size])
    assert len(pixels) == height * (1 + 3 * width)
