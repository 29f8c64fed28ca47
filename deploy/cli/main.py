"""`listeningpost`: one command for everything one does with a Listening Post.

Only the module of the command that was asked for is imported, so that help and completion answer at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated, NoReturn

import structlog
import typer

from deploy.cli.output import ExitCode, Failed, remarks
from shared.errors import ConfigurationError, DependencyDown, ListeningPostError

#: Name → its module (which has `register`) and what it is for, in the order of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("deploy.cli.demo", "Everything on this machine, with a day of feedback sent through it."),
    "up": ("deploy.cli.up", "Start everything on this machine, and stop it with Ctrl-C."),
    "apply": ("deploy.cli.apply", "Give the services a workspace: who you are, your journey, your people."),
    "export": ("deploy.cli.export", "Write the workspace in force as a file that can be applied."),
    "history": ("deploy.cli.history", "Show who changed the workspace, when, how, and what."),
    "accounts": ("deploy.cli.accounts", "Customer accounts: import, list, remove, coverage."),
    "send": ("deploy.cli.send", "Send a piece of feedback."),
    "note": (
        "deploy.cli.note",
        "Notes of conversations: write one, or make a colleague's link to the form.",
    ),
    "import": ("deploy.cli.import_", "Bring in what was said before: CSV, NDJSON, XLSX, mbox."),
    "tail": ("deploy.cli.tail", "Watch pieces as they are tagged and told."),
    "explain": ("deploy.cli.explain", "Show the whole life of a piece: events, tags and why, who was told."),
    "route": ("deploy.cli.route", "Show where a piece would go, without sending one."),
    "channels": (
        "deploy.cli.channels",
        "Every door: open or closed, its address, what it has taken.",
    ),
    "selftest": (
        "deploy.cli.selftest",
        "Send a signed piece through every door, and show where each arrived.",
    ),
    "bench": ("deploy.cli.bench", "Measure how fast pieces are accepted and classified."),
    "doctor": ("deploy.cli.doctor", "Check everything, and say how to mend what is wrong."),
    "migrate": ("deploy.cli.migrate", "Bring the database to what this release needs."),
    "topics": ("deploy.cli.topics", "Make the Kafka topics that are missing, and show what differs."),
    "first-link": (
        "deploy.cli.first_link",
        "Show the link by which the first administrator comes in.",
    ),
    "keys": ("deploy.cli.keys", "API keys: create, list, revoke."),
    "dead-letters": ("deploy.cli.dead_letters", "What could not be processed, and why."),
    "replay": ("deploy.cli.replay", "Put dead letters back once their cause is mended."),
    "backup": (
        "deploy.cli.backup",
        "Write everything in the database into one file.",
    ),
    "restore": ("deploy.cli.restore", "Put the database back as a backup has it. Stop every service first."),
    "fence": (
        "deploy.cli.fence",
        "After a restore by other means, do the rest: nothing is sent a second time.",
    ),
    "held": ("deploy.cli.held", "Notices that wait since a restore, because they may have been told before."),
    "quarantine": ("deploy.cli.quarantine", "What came in but is no feedback, or could not be read."),
    "access": ("deploy.cli.access", "Show everything that is known of somebody who asks."),
    "erase": ("deploy.cli.erase", "Forget somebody: what they said, who they are, and what was made of it."),
    "erasures": ("deploy.cli.erasures", "The ledger of who was forgotten, and how far each is."),
}
#: What a shell reports of a process that SIGTERM ended.
_TERMINATED = 143
_ALONE = ["--help"]
#: Set by the scripts that `--install-completion` leaves with a shell.
_COMPLETING = "_LISTENINGPOST_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with an ExitCode; an error that can be expected is a sentence."""
    # Who types the name alone asks what there is, which is no mistake.
    given = list(sys.argv[1:] if arguments is None else arguments) or _ALONE
    _hush()
    try:
        build(_wanted(given))(args=given, prog_name="listeningpost")
    except Failed as error:
        _complain(str(error), error.remedy)
        sys.exit(error.code)
    except DependencyDown as error:
        _complain(str(error), "`listeningpost doctor` looks closer")
        sys.exit(ExitCode.UNREACHABLE)
    except ConfigurationError as error:
        _complain(str(error))
        sys.exit(ExitCode.USAGE)
    except ListeningPostError as error:
        _complain(str(error))
        sys.exit(ExitCode.FOUND)
    except asyncio.CancelledError:
        sys.exit(_TERMINATED)
    sys.exit(ExitCode.OK)


def build(wanted: str | None) -> typer.Typer:
    """The command `wanted` in full, the others by name and purpose."""
    app = typer.Typer(
        help=__doc__.splitlines()[0].removeprefix("`listeningpost`: ").capitalize(),
        epilog="**Exit codes:** 0 done · 1 something is wrong · 2 wrong usage or settings · 3 not reachable.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, (module, purpose) in COMMANDS.items():
        if name == wanted:
            import_module(module).register(app)
        else:
            app.command(name, help=purpose)(_elsewhere)
    return app


def _hush() -> None:
    """What libraries log of their troubles is said by our own errors, in words; and stdout is for results."""
    logging.basicConfig(level=logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _wanted(arguments: Sequence[str]) -> str | None:
    """The command's name: the first word that is no option, also of a line that is being completed.

    bash hands such a line over in COMP_WORDS, typer's scripts for zsh and fish in _TYPER_COMPLETE_ARGS.
    """
    lines = (os.environ.get(name, "") for name in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS"))
    completed = next((line for line in lines if line), "") if _COMPLETING in os.environ else ""
    words = completed.split()[1:] or arguments
    return next((word for word in words if not word.startswith("-")), None)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(f"listeningpost {metadata.version('listeningpost')}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options before the command."""


def _elsewhere() -> None:
    """Stands in for a command that was not asked for."""


def _complain(message: str, remedy: str = "") -> None:
    console = remarks()
    console.print(f"[red]✗[/red] {_escaped(message)}", soft_wrap=True)
    if remedy:
        console.print(f"  → {_escaped(remedy)}", soft_wrap=True)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
