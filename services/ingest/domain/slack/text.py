"""Slack's mrkdwn as plain text: what the person typed and would read, without Slack's escapes.

Source: docs.slack.dev "Formatting message text": only &, < and > are escaped; <…> holds mentions and links.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # &amp; last, or "&amp;lt;" would become "<"


def plain(text: str, name_of: Callable[[str], str | None]) -> str:
    """`text` as people read it. `name_of` a user id is their name, or None; then the id stays."""
    return _unescape(_TOKEN.sub(lambda token: _spoken(token[1], name_of), text))


def without_mention(text: str, user_id: str | None) -> str:
    """`text` without the mention of `user_id` it begins with: that calls a bot, and is not what one says."""
    if not user_id:
        return text
    return re.sub(rf"^\s*<@{re.escape(user_id)}(?:\|[^<>]*)?>[\s,:]*", "", text)


def without_word(text: str, words: tuple[str, ...]) -> tuple[str, bool]:
    """`text` without the first of `words` it begins with, whatever the case; and whether it did begin so."""
    spoken = text.lstrip()
    for word in words:
        rest = spoken[len(word) :]
        begins = spoken[: len(word)].casefold() == word.casefold()
        # "#confidentiality" is another word; "confidential:" needs no space after its colon.
        if word and begins and (not rest or not rest[0].isalnum() or not word[-1].isalnum()):
            return rest.lstrip(" \t\n:,-"), True
    return text, False


def _unescape(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text


def _spoken(token: str, name_of: Callable[[str], str | None]) -> str:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return "@" + (label.removeprefix("@") or name_of(target[1:]) or target[1:])
    if target.startswith("#"):
        return "#" + (label or target[1:])
    if target.startswith("!"):
        return _special(target[1:], label)
    return _link(target, label)


def _special(target: str, label: str) -> str:
    """<!channel>, <!subteam^S1|@team>, <!date^1392734382^{date}|Feb 18, 2014>."""
    kind, _, rest = target.partition("^")
    if label:
        return label
    return "@" + (rest if kind == "subteam" and rest else kind)


def _link(target: str, label: str) -> str:
    address = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (target, address):
        return address
    # Slack makes "example.com" a link to http://example.com with that label: the label is what was typed.
    typed = target.removeprefix("http://").removeprefix("https://") == label
    return label if typed else f"{label} ({address})"
