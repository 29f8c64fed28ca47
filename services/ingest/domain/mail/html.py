"""HTML of a mail as plain text, with and without what is quoted in it."""

from __future__ import annotations

import html as entities
import re
from collections import Counter
from enum import StrEnum
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: More is not read: the text of a piece ends at 100,000 characters, and newsletters are mostly markup.
MAX_HTML_CHARS = 1_000_000
#: Parsing by the rules of HTML takes time with the square of the depth (100,000 open <div>: 50 s), and builds
#: every unclosed <font> again in each paragraph. Real mail stays a factor of ten below this product.
_MAX_DEPTH_TIMES_TAGS = 3_000_000

_UNSEEN: Final = "script, style, head, title, template, noscript, iframe, svg"
_PARAGRAPHS: Final = "p, h1, h2, h3, h4, h5, h6, ul, ol, dl, table, blockquote, pre, hr"
_LINES: Final = (
    "div, section, article, header, footer, li, dt, dd, tr, form, fieldset, address, center, figure, caption"
)
#: How mail programs mark what they quote: Gmail, Thunderbird, Apple, Yahoo, Outlook, Proton, Tutanota, Zoho.
_QUOTES: Final = (
    "blockquote[type=cite], .gmail_quote, .gmail_attr, .moz-cite-prefix, .yahoo_quoted, .protonmail_quote, "
    ".tutanota_quote, .zmail_extra, #OLK_SRC_BODY_SECTION, #mail-editor-reference-message-container"
)
#: Outlook quotes everything that follows these. As a selector (`~ *`) it would take time with the square.
_QUOTES_AFTER: Final = "#appendonsend, #divRplyFwdMsg"
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
#: Void elements, and those that end by themselves where the next of their kind begins.
_FLAT: Final = frozenset(
    (  # noqa: SIM905 - one word after the other reads better
        "area base br col embed hr img input link meta param source track wbr "
        "p li dt dd td th tr tbody thead tfoot option optgroup colgroup"
    ).split()
)
_MARKUP = re.compile(r"<[^<>]{0,4000}>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0\u200b\u200c]+")
#: Stand for <br>, the edge of a line and of a paragraph, while the white space of the source is folded away.
_BR, _LINE, _PARAGRAPH = "\x1d", "\x1e", "\x1f"
_MARKS: Final = _BR + _LINE + _PARAGRAPH
_EDGE = re.compile(f"[{_MARKS} ]*[{_MARKS}][{_MARKS} ]*")
_NOT_OURS: Final = dict.fromkeys(map(ord, "\x00" + _MARKS))


class Quotes(StrEnum):
    """What is left out: nothing, what a mail program marked as its quote, or every <blockquote> as well."""

    KEPT = "kept"
    MARKED = "marked"
    ALL = "all"


def to_text(html: str, *, without: Quotes = Quotes.KEPT) -> str:
    """What a reader sees, a line for each block, `without` quotes."""
    # A NUL ends the document for the parser, and a mark of ours must be only ours.
    html = html[:MAX_HTML_CHARS].translate(_NOT_OURS)
    marked = _parsed(html, without) if _is_tame(html) else _stripped(html)
    return _EDGE.sub(_line_end, _SPACES.sub(" ", marked).strip(_MARKS + " "))


def _line_end(run: re.Match[str]) -> str:
    """One line end for a run of edges; an empty line for a paragraph, and for a <br> on a line of its own."""
    marks = run[0].replace(" ", "")
    alone = _LINE in marks and marks.find(_LINE) < marks.find(_BR)
    return "\n\n" if _PARAGRAPH in marks or marks.count(_BR) > 1 or alone else "\n"


def _is_tame(html: str) -> bool:
    """Whether a tree of it can be built in reasonable time and memory."""
    opened: Counter[str] = Counter()
    depth = deepest = tags = 0
    for match in _TAG.finditer(html):
        tags += 1
        name = match[2].lower()
        if name in _FLAT:
            continue
        if not match[1]:
            opened[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
    return deepest * tags <= _MAX_DEPTH_TIMES_TAGS


def _parsed(html: str, without: Quotes) -> str:
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return ""
    _remove(tree, _UNSEEN)
    if without is not Quotes.KEPT:
        _drop_quotes(tree, without)
    for node in tree.css("br"):
        node.insert_before(_BR)
    for selector, mark in ((_PARAGRAPHS, _PARAGRAPH), (_LINES, _LINE)):
        for node in tree.css(selector):
            node.insert_before(mark)
            node.insert_after(mark)
    for node in tree.css("td, th"):
        node.insert_after(" ")
    return tree.body.text(deep=True)


def _drop_quotes(tree: LexborHTMLParser, without: Quotes) -> None:
    _remove(tree, f"{_QUOTES}, blockquote" if without is Quotes.ALL else _QUOTES)
    mark = tree.css_first(_QUOTES_AFTER)
    following: list[LexborNode] = []
    while mark is not None:
        following.append(mark)
        mark = mark.next
    for node in following:
        node.decompose()


def _remove(tree: LexborHTMLParser, selector: str) -> None:
    """The outermost of each nest only: the inner ones go with them, and their memory is no longer theirs."""
    found = tree.css(selector)
    ids = {node.mem_id for node in found}
    for node in [node for node in found if not _is_within(node, ids)]:
        node.decompose()


def _is_within(node: LexborNode, ids: set[int]) -> bool:
    above = node.parent
    while above is not None:
        if above.mem_id in ids:
            return True
        above = above.parent
    return False


def _stripped(html: str) -> str:
    """Without its markup, whatever that was: for documents made to stop a parser."""
    return entities.unescape(_MARKUP.sub(" ", html))
