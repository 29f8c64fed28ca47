"""A delivery as the words of a mail: subject, plain text and HTML, from the templates beside this file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

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

_MOST_TALLIES = 50
_STARRED = re.compile(r"\*([^*]+)\*")


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    text: str
    html: str


class Templates:
    """Compiled on first use, then kept."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=select_autoescape(["html.j2"]),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=False,
        )
        self._environment.filters["starred"] = _starred

    def words(self, row: Delivery) -> Words:
        """What the mail says. The subject is one line; that of an answer starts with "Re: "."""
        if row.purpose is Purpose.ACKNOWLEDGEMENT:
            return self._acknowledgement(row)
        if row.summary is not None:
            return self._summary(row, row.summary)
        is_amendment = row.purpose is Purpose.AMENDMENT
        values = {
            "content": row.content,
            "facts": facts(row.content),
            "why": row.why,
            "is_amendment": is_amendment,
        }
        subject = headline(row.content)
        return Words(f"Re: {subject}" if is_amendment else subject, *self._rendered("notice", values))

    def _acknowledgement(self, row: Delivery) -> Words:
        said = thanks(row.content)
        title = row.content.title
        subject = title if title.lower().startswith("re:") else f"Re: {title or said.subject}"
        values = {"content": row.content, "thanks": said}
        return Words(subject, *self._rendered("acknowledgement", values))

    def _summary(self, row: Delivery, summary: Summary) -> Words:
        values: dict[str, object] = {
            "lead": summary_lead(summary),
            "tallies": tally_lines(summary.touchpoints, _MOST_TALLIES),
            "facts": summary_facts(summary, _MOST_TALLIES),
            "quotes": [(quote.text, quote_source(quote)) for quote in summary.quotes],
            "why": row.why,
        }
        return Words(summary_headline(summary), *self._rendered("summary", values))

    def _rendered(self, name: str, values: dict[str, object]) -> tuple[str, str]:
        text = self._environment.get_template(f"{name}.txt.j2").render(values)
        html = self._environment.get_template(f"{name}.html.j2").render(values)
        return text.rstrip() + "\n", html


def _starred(sentence: str) -> Markup:
    """Names between stars in bold, everything escaped."""
    return Markup(_STARRED.sub(r"<strong>\1</strong>", str(escape(sentence))))  # noqa: S704 - escaped just before
