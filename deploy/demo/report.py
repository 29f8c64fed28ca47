"""The table at the end: piece → touchpoint, lenses, keep or change, who was told and why, how fast."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import quantiles

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deploy.demo.pieces import Act, Outcome
from deploy.demo.verdict import Evidence, Seen, compared, tag_score
from shared.domain.delivery import CONTRIBUTOR, PLACE, Purpose, State
from shared.domain.directory import Directory
from shared.domain.lens import LENS_NAMES
from shared.domain.network import WhyCode, involve
from shared.events.feedback import FeedbackClassified, Mode, Polarity

_COLOURS = {
    Polarity.KEEP: "green",
    Polarity.CHANGE: "yellow",
    Polarity.MIXED: "cyan",
    Polarity.NEUTRAL: "dim",
}
_ROLES = {
    WhyCode.OWNER: "PM",
    WhyCode.PRODUCT_OWNER: "PM",
    WhyCode.TRIAGE: "triage",
    WhyCode.PRAISED: "praised",
    WhyCode.ACCOUNT_OWNER: "looks after the customer",
    WhyCode.AGENT: "agents",
    WhyCode.AGENT_BEFORE: "step before",
    WhyCode.AGENT_AFTER: "step after",
    WhyCode.SUBSCRIBER: "follows the lens",
}
_TEXT_CHARS = 62
_TABLE_FROM_CHARS = 120


def pieces_table(evidence: Evidence, directory: Directory, width_chars: int) -> RenderableType:
    """One row a piece, in the order sent. People by their first name: the example has no two alike."""
    by_id = {seen.piece.id: seen for seen in evidence.seen}
    rows = [(_piece(seen, by_id), *_cells(seen, directory)) for seen in evidence.seen]
    if width_chars < _TABLE_FROM_CHARS:
        return Group(*(_stacked(row) for row in rows))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for column, ratio in (("piece", 11), ("touchpoint, lenses", 9), ("keep / change", 4)):
        table.add_column(column, ratio=ratio, overflow="fold")
    table.add_column("who was told, and why", ratio=14, overflow="fold")
    table.add_column("ms", justify="right", width=9)
    for row in rows:
        table.add_row(*row)
    return table


def _stacked(row: Sequence[Text]) -> Group:
    """For a narrow terminal: a paragraph a piece."""
    said, tags, verdict, told, speed = row
    lines = [
        Text("  ").join(part for part in parts if part.plain) for parts in ((tags, verdict), (told, speed))
    ]
    return Group(said, *(Padding(line, (0, 0, 0, 6)) for line in lines if line.plain))


def _cells(seen: Seen, directory: Directory) -> list[Text]:
    now = seen.now
    if not seen.piece.is_new or now is None:
        return [Text(""), Text(""), _at_the_door(seen), Text("")]
    return [_tags(seen, now), _verdict(now), _told(seen, now, directory), _speed(seen)]


def _piece(seen: Seen, by_id: Mapping[str, Seen]) -> Text:
    """What was said, as it is kept: a card number is not shown here either."""
    piece, now = seen.piece, seen.now
    said = (now.text or now.title) if now and piece.is_new else piece.text
    original = by_id.get(piece.of or "")
    if not said and original is not None:
        said = (
            f"again: {original.piece.text}"
            if piece.act is Act.REPEAT
            else f"taken back: {original.piece.text}"
        )
    flat = " ".join((said or "(a picture)").split())
    shown = flat if len(flat) <= _TEXT_CHARS else flat[: _TEXT_CHARS - 1] + "…"
    return Text(f"{piece.door:<5} ", style="dim").append(shown, style="default")


def _at_the_door(seen: Seen) -> Text:
    """What became of what is no piece of its own."""
    outcome, problem = seen.answer.outcome, seen.answer.problem
    if outcome is not Outcome.REFUSED:
        return Text(f"{outcome} ({seen.answer.said})", style="magenta")
    detail = str(problem.get("detail", ""))
    return Text(f"refused, {seen.answer.said}: {detail}", style="red").append(_remedy(problem.get("remedy")))


def _remedy(remedy: object) -> Text:
    return Text(f" → {remedy}" if remedy else "", style="dim")


def _tags(seen: Seen, now: FeedbackClassified) -> Text:
    """A touchpoint that a careful reader would not have chosen is underlined."""
    names = [tag.id for tag in sorted(now.tags.touchpoints, key=lambda tag: -tag.score)]
    right = dict(compared(seen.piece.expect, now)).get("touchpoint", True)
    shown = Text(", ".join(names), style="bold" if right else "bold underline")
    if now.tags.needs_triage:
        shown.append(" needs triage" if names else "needs triage", style="bold red")
    lenses = [LENS_NAMES[tag.id] for tag in sorted(now.tags.lenses, key=lambda tag: -tag.score)]
    return shown.append(f"  {', '.join(lenses)}", style="not bold not underline dim") if lenses else shown


def _verdict(now: FeedbackClassified) -> Text:
    tags = now.tags
    shown = Text(tags.polarity.value, style=_COLOURS[tags.polarity]).append(f" {tags.kind}", style="dim")
    if tags.about != "us":
        shown.append(f" (about a {tags.about})" if tags.about != "other" else " (about others)", style="dim")
    if now.confidential:
        shown.append(" in confidence", style="cyan")
    return shown.append(" urgent", style="bold red") if tags.urgency == "urgent" else shown


def _told(seen: Seen, now: FeedbackClassified, directory: Directory) -> Text:
    """Grouped by the first reason each was told for; addresses that failed would be in the verdict."""
    roles = {one.person_id: _ROLES[one.whys[0].code] for one in involve(now, directory)}
    groups: dict[str, list[str]] = defaultdict(list)
    by_slack = False
    for row in seen.notices:
        if row.state is State.SENT:
            by = row.provider_ref.receiver if row.provider_ref else ""
            person = directory.people.get(row.recipient)
            name = person.name.split()[0] if person else row.recipient.removeprefix(PLACE)
            role = by if row.recipient.startswith(PLACE) else roles.get(row.recipient, "told before")
            groups[role].append(name)
            by_slack = by_slack or (by == "slack" and role != by)
    shown = Text(" · ").join(
        Text(f"{role}: ", style="dim").append(", ".join(names)) for role, names in groups.items()
    )
    if by_slack:
        shown.append(" · at once, by Slack", style="red")
    changes = [row.purpose for row in seen.deliveries if row.state is State.SENT and row.purpose in _CHANGES]
    if changes:
        shown.append(f" · {len(changes)} told of the {_CHANGES[changes[0]]}", style="magenta")
    if any(row.recipient == CONTRIBUTOR and row.state is State.SENT for row in seen.deliveries):
        shown.append(" · answered", style="green")
    if shown.plain:
        return shown
    old = "" if now.mode is Mode.LIVE else f": said on {now.occurred_at:%Y-%m-%d}, brought along today"
    return Text(f"nobody{old}", style="dim")


_CHANGES = {Purpose.AMENDMENT: "edit", Purpose.REDACTION: "deletion"}


def delays_ms(seen: Seen) -> list[int]:
    """From being said to arriving, for each notice that arrived."""
    arrived = [arrival.at for row in seen.notices if (arrival := seen.arrived(row))]
    return sorted(round((at - seen.answer.sent_at).total_seconds() * 1000) for at in arrived)


def _speed(seen: Seen) -> Text:
    delays = delays_ms(seen)
    if not delays:
        return Text("")
    return Text(str(delays[0]) if len(delays) == 1 else f"{delays[0]}-{delays[-1]}")


def summary(evidence: Evidence) -> RenderableType:
    """What was counted, and what was refused with its reason."""
    delays = [delay for seen in evidence.seen for delay in delays_ms(seen)]
    answers = sum(
        row.recipient == CONTRIBUTOR and row.state is State.SENT
        for seen in evidence.seen
        for row in seen.deliveries
    )
    right, all_tags = tag_score(evidence.seen)
    outcomes = [seen.answer.outcome for seen in evidence.seen]
    facts = [
        ("sent", f"{len(outcomes)} pieces through three doors"),
        ("kept", f"{evidence.documents} pieces, each once; {_counted(outcomes)}"),
        ("told", f"{_arrived(evidence)} really arrived"),
        ("summed up", _summed_up(evidence)),
        ("answered", f"{answers} people heard back, in their own thread"),
        ("tags", f"{right} of {all_tags} as a careful reader would set them"),
    ]
    if len(delays) > 1:
        half, most = quantiles(delays, n=2)[0], quantiles(delays, n=20)[-1]
        facts.append(
            ("speed", f"half of all notices within {half:.0f} ms of being said, 95 % within {most:.0f} ms")
        )
    lines: list[RenderableType] = [
        Text(f"{name:<10}", style="bold").append(fact, style="not bold") for name, fact in facts
    ]
    return Group(*lines, *_refusal(evidence))


def _summed_up(evidence: Evidence) -> str:
    rows = [row for row in evidence.summaries if row.summary]
    if not rows:
        return "nothing: nothing was brought along"
    brought = max(row.summary.of_all for row in rows if row.summary)
    return f"{brought} pieces brought along, in {len(rows)} mails or messages, one for each reader"


def _arrived(evidence: Evidence) -> str:
    names = {"mail": "mails", "slack": "Slack messages", "webhook": "webhook calls"}
    counts = {sink: sum(arrival.sink == sink for arrival in evidence.arrivals) for sink in names}
    return ", ".join(f"{count} {names[sink]}" for sink, count in counts.items())


def _counted(outcomes: Sequence[Outcome]) -> str:
    quiet = {Outcome.KEPT, Outcome.HALF}
    counts = {outcome: outcomes.count(outcome) for outcome in Outcome if outcome not in quiet}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)


def _refusal(evidence: Evidence) -> list[RenderableType]:
    """One problem document whole: it is what a developer meets first."""
    documents = [seen.answer.problem for seen in evidence.seen if seen.answer.problem.get("type")]
    if not documents:
        return []
    return [Text("\nWhat a broken request is told:", style="bold"), Text(json.dumps(documents[0], indent=2))]
