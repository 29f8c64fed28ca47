"""A workspace file as it is given to a command: read, checked, its faults shown with their lines."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import typer
from rich.text import Text

from deploy.cli.output import ExitCode, Failed, print_json, remarks
from deploy.cli.working import working
from shared.domain.declaration import Declaration, InvalidDeclaration, read_declaration


def example() -> str:
    """The workspace that ships: it comes from the installed package, wherever the command is run."""
    return resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")


def declaration(file: str | None, *, as_json: bool) -> Declaration:
    """What `file` declares; - is stdin, None the example. Shows the faults and ends with USAGE otherwise."""
    name, text = ("workspace.yaml", example()) if file is None else _read(file)
    try:
        with working(f"reading {name}", quiet=as_json):
            return read_declaration(text)
    except InvalidDeclaration as error:
        _show_flaws(name, error, as_json=as_json)
        raise typer.Exit(ExitCode.USAGE) from None


def read_bytes(file: str) -> tuple[str, bytes]:
    """How the file is called in messages, and what is in it; - is stdin. Raises Failed."""
    try:
        return ("<stdin>", sys.stdin.buffer.read()) if file == "-" else (file, Path(file).read_bytes())
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}", code=ExitCode.USAGE) from None


def _read(file: str) -> tuple[str, str]:
    name, raw = read_bytes(file)
    try:
        return name, raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Failed(f"{file}:{line}: this is not UTF-8", "save the file as UTF-8", ExitCode.USAGE) from None


def _show_flaws(name: str, error: InvalidDeclaration, *, as_json: bool) -> None:
    if as_json:
        flaws = [
            {
                "file": name,
                "line": f.spot.line,
                "column": f.spot.column,
                "fault": f.message,
                "remedy": f.remedy,
            }
            for f in error.flaws
        ]
        print_json({"applied": False, "faults": flaws})
        return
    console = remarks()
    for flaw in error.flaws:
        where = Text(f"{name}:{flaw.spot.line}:{flaw.spot.column}", style="bold")
        said = "; ".join(part for part in (flaw.message, flaw.remedy) if part)
        console.print(where, Text(f" {said}"), sep="", soft_wrap=True)
    count = len(error.flaws)
    console.print(Text(f"{count} fault{'s' * (count > 1)}; nothing was changed", style="red"))
