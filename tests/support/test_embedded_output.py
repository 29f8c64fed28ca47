from __future__ import annotations

import io
import json

import pytest

from deploy.embedded.output import Merger, shorten


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words", ("info", "plain words")),
        ("", ("info", "")),
        ("{not json", ("info", "{not json")),
        ('{"other": 1}', ("info", '{"other": 1}')),
        ("\x1b[31mred\x07", ("info", "�[31mred�")),
        (
            json.dumps(
                {
                    "event": "tagged",
                    "level": "info",
                    "timestamp": "2026-11-22T13:04:05.678Z",
                    "service": "classifier",
                    "feedback_id": "f1",
                    "took_s": 0.5,
                    "why": "two words",
                }
            ),
            ("info", '13:04:05 info    tagged feedback_id=f1 took_s=0.5 why="two words"'),
        ),
        (
            '{"event": "stopped", "level": "error", "exception": "Traceback:\\n  boom"}',
            ("error", "error   stopped\n    Traceback:\n      boom"),
        ),
        ('{"s": "I", "msg": "Connection accepted"}', None),
        ('{"s": "W", "msg": "Access control is not enabled"}', None),
        ('{"s": "F", "msg": "Out of disk", "attr": {"free": 0}}', ("critical", 'Out of disk {"free": 0}')),
    ],
)
def test_lines_are_shortened_for_a_person(line: str, shown: tuple[str, str] | None) -> None:
    assert shorten(line) == shown


def test_every_line_says_whose_it_is() -> None:
    stream = io.StringIO()
    show = Merger(stream, colour=False, name_chars=8)
    show("ingest", "one")
    show("broker", json.dumps({"event": "x", "level": "error", "exception": "a\nb"}))
    assert stream.getvalue().splitlines() == [
        "ingest   | one",
        "broker   | error   x",
        "broker   |     a",
        "broker   |     b",
    ]


def test_colour_is_for_terminals_unless_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    Merger(terminal)("ingest", '{"event": "x", "level": "error"}')
    assert terminal.getvalue() == "\x1b[36mingest    \x1b[0m | \x1b[31merror   x\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Merger(plain)("ingest", "x")
    assert plain.getvalue() == "ingest     | x\n"


def test_a_reader_that_went_away_stops_nobody() -> None:
    stream = io.StringIO()
    show = Merger(stream)
    stream.close()
    show("ingest", "one")
    show("ingest", "two")
