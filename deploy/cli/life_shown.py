"""The life of a piece for people: what it says, what happened when, its tags, who was told, who was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from rich.text import Text
from rich.tree import Tree

from deploy.cli import tags_shown
from deploy.cli.life import Life, Seen
from deploy.cli.output import pairs, results
from deploy.cli.tags_shown import one_line
from deploy.cli.untold import untold
from shared.domain.delivery import CONTRIBUTOR, PLACE, Purpose, State
from shared.events.feedback import Change, FeedbackClassified, FeedbackReceived
from shared.store.delivery_documents import History

_MOST_LINES = 6
_MOST_CHARS = 400
_STATES = {
    State.SENT: "green",
    State.DUE: "yellow",
    State.HELD: "yellow",
    State.SENDING: "yellow",
    State.CANCELLED: "dim",
}
Happened = tuple[datetime, str, str]


def show(life: Life, max_age: timedelta) -> None:
    """The whole of it on stdout."""
    console, piece = results(), life.piece
    if piece is None:
        console.print(Text("Nothing is stored of it (yet).", style="yellow"))
    else:
        _show_piece(piece)
    console.print(Text("\nWhat happened", style="bold"))
    names = {name: person.name for name, person in life.directory.people.items()} if life.directory else {}
    for moment, what, detail in _happened(life, names):
        line = Text(f"  {moment.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3], style="dim")
        console.print(line.append(f"  {what:<12}", style="bold").append(detail, style="default"))
    if piece is not None and piece.change is not Change.DELETED:
        made = (
            f"  (revision {piece.tag_revision}, directory {piece.directory_version}, {piece.model_version})"
        )
        console.print(Text("\nTags", style="bold").append(made, style="dim"))
        for tag in tags_shown.lines(piece.tags):
            console.print(Text("  ").append_text(tag))
    _show_told(life, names)
    if piece is not None:
        rows = [history.row for history in life.deliveries]
        for sentence in untold(piece, rows, life.directory, max_age):
            console.print(Text(f"  {sentence}", style="yellow"))
    for letter in life.letters:
        state = "put back since" if letter.replayed else f"waits: `listeningpost replay {letter.position}`"
        console.print(Text(f"\nDead letter {letter.position}", style="bold red"))
        console.print(Text(f"  {letter.service}: {letter.reason}, {letter.error}; {state}"))
    for note in life.notes:
        console.print(Text(f"\n{note}", style="yellow"))


def _show_piece(piece: FeedbackClassified) -> None:
    console = results()
    gone = piece.change is Change.DELETED
    title = one_line(piece.title) or ("(deleted)" if gone else "(without a title)")
    console.print(Text(title, style="bold"))
    for line in piece.text[:_MOST_CHARS].splitlines()[:_MOST_LINES]:
        console.print(Text(f"  {one_line(line, _MOST_CHARS)}", style="italic"))
    console.print(pairs({name: value for name, value in _facts(piece) if value}))


def _facts(piece: FeedbackClassified) -> Iterator[tuple[str, str]]:
    """Of somebody who spoke in confidence there is a codename, and nothing else to show."""
    yield "id", piece.feedback_id
    if piece.confidential:
        yield "said by", f"{piece.codename or 'somebody'}, in confidence"
    elif piece.reported_by.person_id:
        speaker = piece.reported_by
        known = (speaker.affiliation.value, speaker.account, speaker.department)
        name = one_line(speaker.display_name) or "somebody"
        yield "said by", f"{name} ({', '.join(one for one in known if one)})"
        if piece.spoken_for is not None:
            yield "for", one_line(piece.spoken_for.display_name) or "somebody"
    yield "came by", f"{piece.channel}, {one_line(piece.source)}"
    yield "mode", piece.mode.value
    yield "provider's id", one_line(piece.external_id or "")
    yield "revision", f"{piece.revision} ({piece.change.value})"
    yield (
        "attached",
        ", ".join(
            file.media_type if piece.confidential else one_line(file.name) for file in piece.attachments
        ),
    )
    yield "link", one_line(piece.url or "", _MOST_CHARS)


def _happened(life: Life, names: Mapping[str, str]) -> Iterator[Happened]:
    """In the order of time; of one moment in the order of the way through the house."""
    yield from sorted(_all(life, names), key=lambda one: one[0])


def _all(life: Life, names: Mapping[str, str]) -> Iterator[Happened]:
    piece = life.piece
    received = (seen.event for seen in life.seen if isinstance(seen.event, FeedbackReceived))
    first = piece or next(received, None)
    if first is not None:
        yield first.occurred_at, "said", ""
    if piece is not None:
        yield piece.received_at, "received", f"the newest revision came in by {piece.channel}"
        yield piece.classified_at, "classified", f"and stored, because it was {piece.cause}"
    for seen in life.seen:
        yield seen.at, "event", f"{seen.position}  {_event(seen)}"
    for letter in life.letters:
        if letter.failed_at is not None:
            yield letter.failed_at, "dead letter", f"{letter.position}  {letter.reason}"
    for history in life.deliveries:
        who = _called(history.row.recipient, names)
        for tried in history.attempts:
            problem = f", {tried.problem}" if tried.problem else ""
            yield tried.at, "attempt", f"{who}, {tried.receiver}: {tried.outcome}{problem}"


def _event(seen: Seen) -> str:
    event = seen.event
    if event is None:
        return "cannot be read"
    if isinstance(event, FeedbackClassified):
        return f"{event.cause}, revision {event.revision}, tags {event.tag_revision}"
    if isinstance(event, FeedbackReceived):
        return f"{event.change}, revision {event.revision}, {event.mode}"
    return event.type


def _show_told(life: Life, names: Mapping[str, str]) -> None:
    console = results()
    console.print(Text("\nWho was told", style="bold"))
    if not life.deliveries:
        console.print(Text("  nobody"))
        return
    tree = Tree("", hide_root=True, guide_style="dim")
    for history in life.deliveries:
        _add(tree, history, names)
    console.print(tree)


def _add(tree: Tree, history: History, names: Mapping[str, str]) -> None:
    row = history.row
    if not row.recipient:
        # Remembers that the piece was deleted before it was heard of; it goes to nobody.
        return
    label = Text(_called(row.recipient, names), style="bold")
    label.append("" if row.purpose is Purpose.NOTICE else f"  {row.purpose}", style="magenta")
    by = row.target.receiver if row.target else "no address"
    label.append(f"  {by}  ").append(row.state.value, style=_STATES.get(row.state, "red"))
    if history.sent_at is not None:
        label.append(f"  {history.sent_at.astimezone():%H:%M:%S}", style="dim")
    label.append(f"  {row.problem}" if row.problem else "", style="red")
    branch = tree.add(label)
    for sentence in row.why:
        branch.add(Text(f"because: {sentence.replace('*', '')}", style="dim"))
    if row.amends is not None:
        branch.add(Text(f"amends {row.amends}, with revision {row.revision}", style="dim"))
    if row.state is State.DUE:
        branch.add(Text(f"due {row.due_at.astimezone():%Y-%m-%d %H:%M:%S}", style="yellow"))
    for tried in history.attempts:
        problem = f": {tried.problem}" if tried.problem else ""
        said = f"{tried.at.astimezone():%H:%M:%S} {tried.receiver} {tried.outcome}{problem}"
        branch.add(Text(said, style="dim"))


def _called(recipient: str, names: Mapping[str, str]) -> str:
    if recipient == CONTRIBUTOR:
        return "Whoever spoke"
    return names.get(recipient, recipient.removeprefix(PLACE))
