"""What somebody wrote, without what they answer to and without their signature. Never stripped to nothing.

The words of 13 languages are mail-parser-reply's; the rules around them are ours, because words alone cut off
feedback: "Thanks, but the invoice is wrong", a list of hyphens, answers between the quoted lines.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Final

from mailparser_reply.constants import MAIL_LANGUAGES

#: The patterns take time with the square of a line and are tried at each: longer ones introduce no quote.
_MAX_PROBED_CHARS = 20_000
_MAX_PROBED_LINE_CHARS = 160
_MAX_QUOTES = 5
_LONG_LINE = "\x1f"
_MAX_SIGNATURE_LINES = 12
_MAX_SIGNATURE_CHARS = 600
_MAX_SIGN_OFF_CHARS = 40


def _words(key: str) -> list[str]:
    """The patterns of all languages under `key`, English first."""
    languages = sorted(MAIL_LANGUAGES, key=lambda language: language != "en")
    found = [MAIL_LANGUAGES[language].get(key) or [] for language in languages]
    patterns = chain.from_iterable([words] if isinstance(words, str) else words for words in found)
    return [pattern for pattern in dict.fromkeys(patterns) if pattern]


#: Polish takes one line "Data: …" for a header; two are asked for in every other language.
_FROM_BLOCKS = [pattern.replace("{1,}", "{2,}") for pattern in _words("from_header")]
_ORIGINAL: Final = (
    r"^-{2,} ?(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    r"|Messaggio originale|Oorspronkelijk bericht|Исходное сообщение|原始邮件) ?-{2,}$"
)
_HEADERS = (*_words("wrote_header"), *_FROM_BLOCKS, _ORIGINAL, r"^_{20,}$")
_HEADER = re.compile("|".join(_HEADERS), re.MULTILINE | re.IGNORECASE)
_FORWARD = re.compile(
    r"^(?:-{3,} ?(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado"
    r"|Messaggio inoltrato|Doorgestuurd bericht|Пересылаемое сообщение|转发的邮件) ?-{3,}"
    r"|Begin forwarded message:|Anfang der weitergeleiteten Nachricht:|Début du message transféré ?:)",
    re.MULTILINE | re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(r"\s*(?:fwd?|wg|tr|rv|i|doorst|vs|vb|enc|転送|转发)\s*:", re.IGNORECASE)
_REPLY_SUBJECT = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|r|ref|答复|回复)\s*(?:\[\d{1,4}\])?\s*:", re.IGNORECASE
)
#: "/\w+" is how the library knows the Swedish "/Anna"; it is every path as well.
_SIGN_OFFS = [word for word in _words("signatures") if not word.startswith("/")]
_SIGN_OFF = re.compile(rf"(?:{'|'.join(_SIGN_OFFS)})(?!\w).*", re.IGNORECASE)
_SENT_FROM_WORDS = (
    *_words("sent_from"),
    "Отправлено (?:из|с)",  # noqa: RUF001 - Russian
    "Enviado do meu",
    "Lähetetty",
    r"Von meinem \w{1,20} gesendet",
)
_SENT_FROM = re.compile(rf"(?:{'|'.join(_SENT_FROM_WORDS)}).{{0,60}}", re.IGNORECASE)
_SIGNATURE_MARK = re.compile(r"(?:--|__|—) ?")
_RULE = re.compile(r"[-_=* ]*")
_DATE_OR_ADDRESS = re.compile(r"\d|@")


def is_forward(subject: str, text: str) -> bool:
    """Whether the words of somebody else are the message, and must not be stripped as a quote."""
    return bool(_FORWARD_SUBJECT.match(subject) or _FORWARD.search(text[:_MAX_PROBED_CHARS]))


def is_reply(subject: str) -> bool:
    return bool(_REPLY_SUBJECT.match(subject))


def latest(text: str, *, answer: bool = True) -> str:
    """The sender's own words in `text` (LF line ends): no quotes, no signature.

    Answers between quoted lines are kept. Unless it is an `answer`, lines with ">" that nothing introduces
    are the sender's own. What would be nothing is the whole text instead.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    own = _without_quotes(lines, answer=answer)
    for candidate in (_without_signature(own), own):
        joined = "\n".join(candidate).strip()
        if joined:
            return joined
    return text


def without_signature(text: str) -> str:
    """`text` with its quotes: of a forward they are the message."""
    return "\n".join(_without_signature(text.split("\n"))).strip() or text


def _without_quotes(lines: list[str], *, answer: bool) -> list[str]:
    own = _own(lines, answer=answer)
    while own and (not own[-1].strip() or _introduces(own[-1].strip())):
        own.pop()
    # Without a word of its own, the answer stands under what it answers, and nothing tells the two apart.
    return own if _has_words(own) else lines


def _introduces(line: str) -> bool:
    """Whether it is what is left of a quote whose marked part is gone: a date, an address and a colon."""
    short = len(line) <= _MAX_PROBED_LINE_CHARS
    return short and line.endswith(":") and "@" in line and any(char.isdigit() for char in line)


def _own(lines: list[str], *, answer: bool, depth: int = 0) -> list[str]:
    header = _header_lines(lines) if depth < _MAX_QUOTES else None
    if header is None:
        return _unquoted(lines) if answer else list(lines)
    above, below = lines[: header[0]], lines[header[1] :]
    marked = next((line.startswith(">") for line in below if line.strip()), False)
    return [*_unquoted(above), *(_own(below, answer=True, depth=depth + 1) if marked else ())]


def _header_lines(lines: list[str]) -> tuple[int, int] | None:
    """First and last-plus-one line of what introduces the quote, or None."""
    numbers: list[int] = []
    probed: list[str] = []
    room = _MAX_PROBED_CHARS
    for number, line in enumerate(lines):
        # Empty lines and runs of spaces tell nothing, and the patterns try each of them with all others.
        folded = " ".join(line[: 4 * _MAX_PROBED_LINE_CHARS].split())
        if not folded:
            continue
        probed.append(folded if len(folded) <= _MAX_PROBED_LINE_CHARS else _LONG_LINE)
        numbers.append(number)
        room -= len(probed[-1]) + 1
        if room < 0:
            break
    probe = "\n".join(probed)
    match = _HEADER.search(probe)
    if match is None:
        return None
    start = match.start() + len(match[0]) - len(match[0].lstrip("\n"))
    first = probe.count("\n", 0, start)
    return numbers[first], numbers[first + match[0].strip("\n").count("\n")] + 1


def _unquoted(lines: list[str]) -> list[str]:
    """Without the lines that begin with ">", and without the line that introduces them."""
    kept: list[str] = []
    for index, line in enumerate(lines):
        if line.startswith(">"):
            continue
        following = next((later for later in lines[index + 1 : index + 3] if later.strip()), "")
        if line.endswith(":") and following.startswith(">") and _DATE_OR_ADDRESS.search(line):
            continue
        kept.append(line)
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    lines = [line for line in lines if not _SENT_FROM.fullmatch(line.strip())]
    while lines and _RULE.fullmatch(lines[-1]):
        lines.pop()
    worded = chars = 0
    for index in range(len(lines) - 1, 0, -1):
        line = lines[index].strip()
        worded += bool(line)
        chars += len(line)
        if worded > _MAX_SIGNATURE_LINES or chars > _MAX_SIGNATURE_CHARS:
            break
        sign_off = len(line) <= _MAX_SIGN_OFF_CHARS and _SIGN_OFF.fullmatch(line)
        if (sign_off or _SIGNATURE_MARK.fullmatch(line)) and _has_words(lines[:index]):
            return lines[:index]
    return lines


def _has_words(lines: list[str]) -> bool:
    return any(char.isalnum() for line in lines for char in line)
