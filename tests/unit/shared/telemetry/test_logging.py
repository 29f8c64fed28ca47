"""What reaches a log, and above all what does not: what exceptions say may be feedback text."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared.settings import LogSettings
from shared.telemetry.logging import configure

Lines = Callable[[], list[dict[str, Any]]]
log = structlog.get_logger()


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging is of the whole process: as it was before, also for the tests after these."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def listen(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Configured as in a container; returns what was logged since the last call, line by line."""
    configure(LogSettings(format="json"), "tests")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def fail(text: str) -> None:
    local = f"a variable with {text}"
    raise ValueError(f"{local} and a message")


def test_a_line_is_one_json_object_with_when_how_grave_and_who(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    log.info("feedback_classified", feedback_id="f1", count=2)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "feedback_classified",
        "level": "info",
        "service": "tests",
        "feedback_id": "f1",
        "count": 2,
    }


def test_what_is_bound_goes_with_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    with structlog.contextvars.bound_contextvars(correlation_id="c1"):
        log.info("one")
        logging.getLogger("library").warning("two")
    log.info("three")
    assert [line.get("correlation_id") for line in lines()] == ["c1", "c1", None]


def test_an_exception_is_its_type_and_place_and_nothing_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    try:
        fail("s3cret")
    except ValueError as error:
        log.exception("went_wrong")
        log.warning("went_wrong", exc_info=error)
        logging.getLogger("library").exception("went wrong")
        logging.getLogger("library").warning("went wrong", exc_info=error)
    found = lines()
    assert len(found) == 4
    for line in found:
        assert line["error"] == "ValueError"
        assert line["at"][-1].endswith(" fail")
        assert "s3cret" not in json.dumps(line)
        assert "exc_info" not in line


def test_neither_does_the_cause_of_an_exception_speak(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    try:
        try:
            fail("s3cret")
        except ValueError as error:
            raise RuntimeError("another s3cret") from error
    except RuntimeError:
        log.exception("went_wrong")
    (line,) = lines()
    assert line["error"] == "RuntimeError"
    assert "s3cret" not in json.dumps(line)


async def test_a_task_nobody_waits_for_is_told_without_its_exception(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """asyncio writes the task into the message, and with it what its exception says."""
    lines = listen(capsys)
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.set_exception(ValueError("s3cret"))
    loop.call_exception_handler({"message": "Task exception was never retrieved", "future": future})
    assert future.exception() is not None
    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert line["logger"] == "asyncio"
    assert "s3cret" not in json.dumps(line)


def test_a_library_speaks_in_the_same_form_and_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    logging.getLogger("library").warning("%d of %d", 1, 2)
    (line,) = lines()
    assert line["event"] == "1 of 2"
    assert (line["logger"], line["level"], line["service"]) == ("library", "warning", "tests")


def test_libraries_that_chatter_are_heard_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listen(capsys)
    for name in ("aiokafka", "pymongo", "httpx", "uvicorn.access"):
        logging.getLogger(name).info("polled")
        logging.getLogger(name).warning("broken")
    assert [line["event"] for line in lines()] == ["broken"] * 4


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_than_the_level_is_not_logged(
    level: str, heard: int, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(LogSettings.model_validate({"format": "json", "level": level}), "tests")
    for say in (log, logging.getLogger("library")):
        say.debug("d")
        say.info("i")
        say.warning("w")
        say.error("e")
    assert len(capsys.readouterr().out.splitlines()) == 2 * heard


def test_a_terminal_gets_words_without_the_exception(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(format="console"), "tests")
    try:
        fail("s3cret")
    except ValueError:
        log.exception("went_wrong")
        logging.getLogger("library").exception("went wrong")
    shown = capsys.readouterr().out
    assert "went_wrong" in shown
    assert "ValueError" in shown
    assert "s3cret" not in shown


def test_without_a_terminal_auto_means_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(format="auto"), "tests")
    log.info("one")
    assert json.loads(capsys.readouterr().out)["event"] == "one"
