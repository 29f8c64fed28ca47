"""The words of a summary: what it is of, what it comes to, why somebody gets it. Names in *stars*."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.notifier.domain.wording import (
    headline_verdict,
    one_line,
    place_sentence,
    who_said,
    why_sentences,
)
from shared.domain.bucket import Bucket
from shared.domain.directory import Directory
from shared.domain.network import Why, touchpoints_of
from shared.domain.summary import Count, Group, Quote, Summary, Tally
from shared.events.feedback import Change, FeedbackClassified, Mode

MAX_QUOTE_CHARS = 280
#: What a machine calls an import; `listeningpost import` does.
_DIGITS = re.compile(r"[0-9a-f-]{32,36}")
_MOST_NAME_CHARS = 60
_MOST_WHYS = 5
_TOGETHER = "They are old or were imported: nobody is told of them one by one, and nobody was answered"
_MODES = {Mode.IMPORT: "imported", Mode.BACKFILL: "backfilled", Mode.LIVE: "old when they came"}


def bucket_name(bucket: Bucket) -> str:
    """What people call it: the name of the import, else how it came; a digest or a UUID is no name."""
    if bucket.batch is not None and not _DIGITS.fullmatch(bucket.batch):
        return _short(bucket.batch)
    return f"{_short(_from(bucket.channel, bucket.source))}, {_MODES.get(bucket.modes[0], bucket.modes[0])}"


def origin(group: Group) -> str:
    """Where pieces are from: "slack (T0WORK), imported"."""
    return f"{_from(group.channel, group.source)}, {_MODES.get(group.mode, group.mode)}"


def person_why(whys: tuple[Why, ...], directory: Directory) -> tuple[str, ...]:
    sentences = why_sentences(whys, directory)
    more = len(sentences) - _MOST_WHYS
    kept = sentences if more <= 0 else (*sentences[:_MOST_WHYS], f"and {more} more of yours")
    return (*kept, _TOGETHER)


def place_why(receiver_id: str) -> tuple[str, ...]:
    return (*place_sentence(receiver_id), _TOGETHER)


def summary_headline(summary: Summary) -> str:
    """One line for a subject or a header: "Summary · crm 2019: 412 pieces, 300 to change, 80 to keep"."""
    pieces = "1 piece" if summary.pieces == 1 else f"{summary.pieces:,} pieces"
    return f"Summary · {summary.name}: {pieces}, {summary.change:,} to change, {summary.keep:,} to keep"


def summary_lead(summary: Summary) -> str:
    """The first sentence under the headline."""
    said = _period(summary.first_at, summary.last_at)
    if summary.pieces == summary.of_all:
        return f"{_pieces(summary.pieces)} came with this import, said {said}."
    return f"{_pieces(summary.pieces)} of the {summary.of_all:,} that came are yours, said {said}."


def summary_facts(summary: Summary, most: int) -> tuple[tuple[str, str], ...]:
    """Name and value of what else is known, in reading order; at most `most` names in a list."""
    triage = f"{summary.needs_triage:,} of all {summary.of_all:,}" if summary.needs_triage else ""
    told = (
        ("From", _listed(summary.origins, most)),
        ("Concerns", _listed(summary.lenses, most)),
        ("Need triage", triage),
    )
    return tuple((name, value) for name, value in told if value)


def tally_lines(tallies: Sequence[Tally], most: int) -> tuple[str, ...]:
    """Keep beside change for each touchpoint; the last line says how many are left out."""
    lines = [
        f"{one_line(tally.name)}: {tally.pieces:,}, {tally.change:,} to change beside {tally.keep:,} to keep"
        for tally in tallies[:most]
    ]
    more = len(tallies) - most
    return (*lines, f"and {more} more touchpoints") if more > 0 else tuple(lines)


def quotes_of(pieces: Iterable[FeedbackClassified], directory: Directory) -> tuple[Quote, ...]:
    """What is said of these pieces, in their own words; of one that was deleted meanwhile nothing."""
    return tuple(_quote(piece, directory) for piece in pieces if piece.change is not Change.DELETED)


def quote_source(quote: Quote) -> str:
    """Who said it and of what: "Cora (customer, Acme) · Change · Invoice"."""
    known = (quote.who, headline_verdict(quote.verdict), ", ".join(quote.touchpoints))
    return " · ".join(part for part in known if part)


def _quote(piece: FeedbackClassified, directory: Directory) -> Quote:
    text = one_line(piece.text) or one_line(piece.title)
    return Quote(
        feedback_id=piece.feedback_id,
        text=text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1].rstrip() + "…",
        who=who_said(piece, directory),
        touchpoints=tuple(
            directory.touchpoints[touchpoint].name for touchpoint in touchpoints_of(piece, directory)
        ),
        verdict=piece.tags.polarity.value,
    )


def _from(channel: str, source: str) -> str:
    return one_line(f"{channel} ({source})" if source else channel)


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _MOST_NAME_CHARS else name[: _MOST_NAME_CHARS - 1].rstrip() + "…"


def _pieces(number: int) -> str:
    return "1 piece" if number == 1 else f"{number:,} pieces"


def _listed(counts: Sequence[Count], most: int) -> str:
    shown = [f"{one_line(count.name)} {count.pieces:,}" for count in counts[:most]]
    more = len(counts) - most
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)


def _period(first_at: datetime, last_at: datetime) -> str:
    first, last = f"{first_at:%Y-%m-%d}", f"{last_at:%Y-%m-%d}"
    return f"on {first}" if first == last else f"from {first} to {last}"
