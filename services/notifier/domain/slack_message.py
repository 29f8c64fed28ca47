"""A notice as Slack's Block Kit, within its limits. Text of others is escaped: it can mention nobody.

Source of the limits: Slack's Block Kit reference as slack_sdk 3.47 validates it; of the escaping: "Formatting
text for app surfaces".
"""

from __future__ import annotations

from typing import Any

from services.notifier.domain.thanks import thanks
from services.notifier.domain.wording import facts, headline
from shared.domain.delivery import Delivery, Purpose

_MOST_HEADER = 150
_MOST_SECTION = 3_000
_MOST_CONTEXT = 2_000
_MOST_TEXT = 3_500

Message = dict[str, Any]


def message_of(row: Delivery) -> Message:
    """`text` (what notifications and screen readers say), `blocks`, and the delivery's id as metadata."""
    if row.purpose is Purpose.ACKNOWLEDGEMENT:
        said = " ".join(thanks(row.content).lines)
        body: Message = {
            "text": _fitting(said, _MOST_TEXT),
            "blocks": [_section(_fitting(said, _MOST_SECTION))],
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
    title = headline(content)
    shown = title if len(title) <= _MOST_HEADER else title[: _MOST_HEADER - 1] + "…"
    blocks: list[Message] = [
        {"type": "header", "text": {"type": "plain_text", "text": shown, "emoji": False}}
    ]
    if row.purpose is Purpose.AMENDMENT:
        blocks.append(_context("Changed by its author since you were told."))
    if content.text:
        blocks.append(_section(_quoted(content.text, shortened=content.shortened)))
    known = "\n".join(f"*{name}:* {escaped(value)}" for name, value in facts(content))
    if known:
        blocks.append(_section(_cut(known, _MOST_SECTION)))
    if content.url is not None:
        blocks.append(_section(f"<{_url(content.url)}|Open where it was said>"))
    if row.why:
        blocks.append(_context(_cut("Why you get this: " + " · ".join(map(escaped, row.why)), _MOST_CONTEXT)))
    return blocks


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
