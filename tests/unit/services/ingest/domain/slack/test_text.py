"""Slack's mrkdwn as people read it."""

from __future__ import annotations

import pytest

from services.ingest.domain.slack.envelope import microseconds
from services.ingest.domain.slack.text import plain, without_mention


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("&amp;lt;", "&lt;"),
        ("hi <@U0ANN>", "hi @Ann"),
        ("hi <@U0ANN|ann>", "hi @ann"),
        ("hi <@U9>", "hi @U9"),
        ("in <#C1|general> and <#C2>", "in #general and #C2"),
        ("<!channel> <!here|here> <!subteam^S1|@team> <!subteam^S2>", "@channel here @team @S2"),
        ("<!date^1392734382^{date}|Feb 18, 2014>", "Feb 18, 2014"),
        ("<https://a.example/?x=1&amp;y=2>", "https://a.example/?x=1&y=2"),
        ("<https://a.example|here>", "here (https://a.example)"),
        ("<http://a.example|a.example>", "a.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<mailto:a@b.example|write me>", "write me (a@b.example)"),
        ("<tel:+49123|+49123>", "+49123"),
        ("1 &lt; 2 > 3 < 4", "1 < 2 > 3 < 4"),
        ("~_*<@U0ANN>*_~", "~_*@Ann*_~"),
    ],
)
def test_what_was_said(text: str, said: str) -> None:
    assert plain(text, {"U0ANN": "Ann"}.get) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [("<@UBOT> hello", "hello"), ("<@UBOT|post>: hello", "hello"), ("hello <@UBOT>", "hello <@UBOT>")],
)
def test_whom_it_was_said_to(text: str, said: str) -> None:
    assert without_mention(text, "UBOT") == said
    assert without_mention(text, None) == text


@pytest.mark.parametrize(
    ("timestamp", "us"),
    [
        ("1719211546.331399", 1_719_211_546_331_399),
        ("1719211546.1", 1_719_211_546_100_000),
        ("", None),
        (None, None),
        ("1719211546", None),
        ("9" * 30 + ".1", None),
        ("1e9.1", None),
    ],
)
def test_when_it_was_said(timestamp: str | None, us: int | None) -> None:
    assert microseconds(timestamp) == us
