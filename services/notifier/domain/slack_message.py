"""A notice as Slack's Block Kit, within its limits. Text of others is escaped: it can mention nobody.

Source of the limits: Slack's Block Kit reference as slack_sdk 3.47 validates it; of the escaping: "Formatting
text for app surfaces".
"""

from __future__ import annotations

from typing import Any

from services.notifier.domain.summary_wording import (
    quote_source,
    summary_facts,
    summary_headline,
    summary_lead,
    tally_lines,
)
from services.notifier.domain.thanks import thanks
from services.notifier.domain.wording import facts, headline
from shared.domain.delivery import Delivery, Purpose
from shared.domain.summary import Summary

_MOST_HEADER = 150
_MOST_SECTION = 3_000
_MOST_CONTEXT = 2_000
_MOST_TEXT = 3_500
_MOST_TALLIES = 20

Message = dict[str, Any]


def message_of(row: Delivery) -> Message:
    """`text` (what notifications and screen readers say), `blocks`, and the delivery's id as metadata."""
    if row.purpose is Purpose.ACKNOWLEDGEMENT:
        said = " ".join(thanks(row.content).lines)
        body: Message = {
            "text": _fitting(said, _MOST_TEXT),
            "blocks": [_section(_fitting(said, _MOST_SECTION))],
        }
    elif row.summary is not None:
        body = {
            "text": _fitting(summary_headline(row.summary), _MOST_TEXT),
            "blocks": _summary(row, row.summary),
        }
    else:
        body = {"text": _fitting(headline(row.content), _MOST_TEXT), "blocks": _notice(row)}
    return {
        **body,
        "metadata": {"event_type": "listeningpost_delivery", "event_payload": {"delivery_id": row.id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def withdrawn_message() -> Message:
    """What replaces a notice that cannot be deleted."""
    said = "This notice was taken back: the piece was deleted by its author."
    return {"text": said, "blocks": [_section(said)]}


def _notice(row: Delivery) -> list[Message]:
    content = row.content
    blocks = [_header(headline(content))]
    if row.purpose is Purpose.AMENDMENT:
        blocks.append(_context("Changed by its author since you were told."))
    if content.text:
        blocks.append(_section(_quoted(content.text, shortened=content.shortened)))
    known = "\n".join(f"*{name}:* {escaped(value)}" for name, value in facts(content))
    if known:
        blocks.append(_section(_cut(known, _MOST_SECTION)))
    if content.url is not None:
        blocks.append(_section(f"<{_url(content.url)}|Open where it was said>"))
    return [*blocks, *_why(row)]


def _summary(row: Delivery, summary: Summary) -> list[Message]:
    """At most 14 blocks."""
    blocks = [_header(summary_headline(summary)), _section(_fitting(summary_lead(summary), _MOST_SECTION))]
    lines = tally_lines(summary.touchpoints, _MOST_TALLIES)
    if lines:
        blocks.append(_section(_cut("\n".join(f"• {escaped(line)}" for line in lines), _MOST_SECTION)))
    known = "\n".join(f"*{name}:* {escaped(value)}" for name, value in summary_facts(summary, _MOST_TALLIES))
    if known:
        blocks.append(_section(_cut(known, _MOST_SECTION)))
    for quote in summary.quotes:
        said = f"{_quoted(quote.text, shortened=False)}\n{escaped(quote_source(quote))}"
        blocks.append(_section(_cut(said, _MOST_SECTION)))
    return [*blocks, *_why(row)]


def _header(title: str) -> Message:
    shown = title if len(title) <= _MOST_HEADER else title[: _MOST_HEADER - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": shown, "emoji": False}}


def _why(row: Delivery) -> list[Message]:
    if not row.why:
        return []
    return [_context(_cut("Why you get this: " + " · ".join(map(escaped, row.why)), _MOST_CONTEXT))]


def escaped(text: str) -> str:
    """The three characters that mean something to Slack; nothing else makes a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str, *, shortened: bool) -> str:
    lines = "\n".join(f">{line}" for line in _fitting(text, _MOST_SECTION - 300).split("\n"))
    return _cut(lines, _MOST_SECTION - 10) + ("\n>…" if shortened else "")


def _fitting(text: str, most: int) -> str:
    """`text` escaped, at most `most` characters then, and no entity cut in two."""
    shown = escaped(text)
    while len(shown) > most:
        text = text[: max(1, len(text) - (len(shown) - most) // 5 - 1)]
        shown = escaped(text) + "…"
    return shown


def _cut(shown: str, most: int) -> str:
    """Like `_fitting`, for what is escaped already: cut at a line or a word."""
    if len(shown) <= most:
        return shown
    return shown[: most - 1].rpartition(" ")[0] + "…"


def _url(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _section(text: str) -> Message:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Message:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
