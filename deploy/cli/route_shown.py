"""What a dry run found, for people and for scripts."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from deploy.cli import tags_shown
from deploy.cli.dry_run import Planned
from deploy.cli.output import results, table
from services.notifier.domain.wording import one_line
from shared.domain.delivery import CONTRIBUTOR, PLACE, Delivery, Purpose
from shared.domain.directory import Directory
from shared.domain.route_steps import Fate, Step
from shared.events.feedback import FeedbackClassified, Mode

_SIGNS = {
    Fate.TOOK: ("✓ ", "bold green"),
    Fate.PASSED: ("· ", "green"),
    Fate.HELD_NOT: ("✗ ", "default"),
    Fate.NOT_ASKED: ("  ", "dim"),
}


def show(found: Planned, directory: Directory, *, overrides: bool) -> None:
    """The whole of it on stdout."""
    console, piece = results(), found.piece
    console.print(Text("A dry run: nothing is stored or sent.", style="dim"))
    console.print(Text("\nFrom  ", style="bold").append(_who(piece)))
    console.print(Text("\nTags", style="bold").append(f"  ({piece.model_version})", style="dim"))
    if overrides:
        console.print(Text("  those you named took the place of what was found", style="dim"))
    for line in tags_shown.lines(piece.tags):
        console.print(Text("  ").append_text(line))
    console.print(Text("\nRoutes", style="bold"))
    console.print(_tree(found.tree))
    console.print(Text("\nWould be told", style="bold"))
    rows = [_row(row, directory) for row in found.rows]
    if rows:
        console.print(table(("who", "by", "when", "why"), rows))
    else:
        console.print(Text(f"  nobody: {nobody(piece)}", style="yellow"))
    if rows and not any(row.purpose is Purpose.ACKNOWLEDGEMENT for row in found.rows):
        console.print(Text(f"Whoever spoke is not answered: {unanswered(piece)}.", style="dim"))


def nobody(piece: FeedbackClassified) -> str:
    """Why no row was planned."""
    if piece.mode is not Mode.LIVE:
        return f"its mode is {piece.mode}, and only live pieces are told one by one"
    return "it is too old, or the only one to tell is who said it"


def unanswered(piece: FeedbackClassified) -> str:
    if piece.reply_to is None:
        return "nobody proved where the answer would have to go"
    return "a machine wrote it" if piece.reply_to.auto_generated else "this piece is not answered"


def as_json(found: Planned, directory: Directory) -> dict[str, object]:
    piece = found.piece
    return {
        "dry_run": True,
        "directory_version": piece.directory_version,
        "model_version": piece.model_version,
        "reported_by": piece.reported_by.model_dump(mode="json"),
        "tags": tags_shown.as_json(piece.tags),
        "labels": {name: list(values) for name, values in found.labels.items()},
        "routes": _step_json(found.tree),
        "told": [
            {
                "who": row.recipient,
                "name": _called(row.recipient, directory),
                "by": [target.receiver for target in row.chain],
                "due_at": row.due_at,
                "urgent": row.urgent,
                "purpose": row.purpose,
                "state": row.state,
                "problem": row.problem,
                "why": [_plain(sentence) for sentence in row.why],
            }
            for row in found.rows
        ],
        "nobody_because": None if found.rows else nobody(piece),
    }


def _tree(step: Step) -> Tree:
    tree = Tree(_label(step, root=True), guide_style="dim")
    _grow(tree, step)
    return tree


def _grow(tree: Tree, step: Step) -> None:
    for lower in step.below:
        _grow(tree.add(_label(lower)), lower)


def _label(step: Step, *, root: bool = False) -> Text:
    sign, style = _SIGNS[step.fate]
    label = Text(sign, style=style)
    if not step.matchers:
        label.append("everything" if root else "whatever is left", style=style)
    for position, (matcher, held) in enumerate(step.matchers):
        label.append(" and " if position else "").append(matcher, style="green" if held else "red")
        label.append("" if held else " (does not hold)", style="dim")
    took = {Fate.TOOK: "goes to ", Fate.NOT_ASKED: "not asked: "}.get(step.fate, "")
    label.append(f"  → {took}{step.receiver}", style=style)
    return label.append("  and on" if step.goes_on else "", style="dim")


def _step_json(step: Step) -> dict[str, object]:
    return {
        "receiver": step.receiver,
        "matchers": [{"matcher": text, "holds": held} for text, held in step.matchers],
        "fate": step.fate,
        "continue": step.goes_on,
        "routes": [_step_json(lower) for lower in step.below],
    }


def _row(row: Delivery, directory: Directory) -> tuple[str, str, str, str]:
    by = " → ".join(target.receiver for target in row.chain) or "-"
    why = "; ".join(_plain(sentence) for sentence in row.why)
    if row.purpose is Purpose.ACKNOWLEDGEMENT:
        why = "is answered"
    when = "at once, urgent" if row.urgent else "at once"
    return _called(row.recipient, directory), by, row.problem or when, why


def _called(recipient: str, directory: Directory) -> str:
    if recipient == CONTRIBUTOR:
        return "whoever spoke"
    person = directory.people.get(recipient)
    return person.name if person is not None else recipient.removeprefix(PLACE)


def _plain(sentence: str) -> str:
    return sentence.replace("*", "")


def _who(piece: FeedbackClassified) -> str:
    """As the directory knows them; the codename of somebody who spoke in confidence."""
    speakers = [piece.reported_by, *([piece.spoken_for] if piece.spoken_for is not None else [])]
    told = []
    for speaker in speakers:
        known = (speaker.affiliation.value, speaker.account, speaker.segment, speaker.department)
        details = ", ".join(one for one in known if one and one != "unknown")
        name = one_line(speaker.display_name) or "somebody unknown"
        told.append(f"{name} ({details})" if details else name)
    return " for ".join(told) + (", in confidence" if piece.confidential else "")
