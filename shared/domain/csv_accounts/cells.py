"""What stands in a cell of a CRM's export, as the value of a field. Raises ValueError with a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime

from shared.domain.domains import is_domain, objection

#: A currency may stand before and behind it, as a sign or three capitals; k, m and the like behind it.
_NUMBER = re.compile(
    r"(?:[A-Z]{3}|[^\w\s.,-])?\s*(-?[\d.,'\u2019\s]*\d)(?:,-)?\s*(?i:(k|tsd|m|mio|mln)\.?)?\s*(?:[A-Z]{3}|[^\w\s])?"
)
_TIMES = {"k": 1_000, "tsd": 1_000, "m": 1_000_000, "mio": 1_000_000, "mln": 1_000_000}
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s", "✓"})
_NO = frozenset({"no", "n", "false", "0", "-", "nein", "falsch", "non", "faux"})
#: As people write a format, and as Python does.
_TOKENS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}
_THOUSAND_DIGITS = 3


def domains(cell: str) -> tuple[str, ...]:
    """Every domain in it, in lower case: of web addresses the host without `www.`, of mail the end."""
    found = []
    for word in re.split(r"[\s,;|]+", cell.strip().lower()):
        bare = re.sub(r"^[a-z]+://", "", word).partition("/")[0].rpartition("@")[2].partition(":")[0]
        domain = bare.removeprefix("www.").rstrip(".")
        if not word:
            continue
        if not is_domain(domain):
            msg = f"{word!r} is no domain; write company.example, or its web address"
            raise ValueError(msg)
        wrong = objection(domain)
        if wrong is not None:
            raise ValueError("; ".join(wrong))
        found.append(domain)
    return tuple(dict.fromkeys(found))


def number(cell: str) -> int:
    """A sum of money in whole units, whatever separates its thousands: 1,234.50 · 1.234,50 · 1 234 · 1'234 €.

    A single separator before exactly three digits separates thousands: 480.000 is 480 thousand.
    """
    match = _NUMBER.fullmatch(cell.strip())
    if match is None:
        msg = f"{cell.strip()!r} is no number; write 480000"
        raise ValueError(msg)
    digits = re.sub(r"['\u2019\s]", "", match[1])
    return round(float(_with_a_point(digits)) * _TIMES.get((match[2] or "").lower(), 1))


def _with_a_point(digits: str) -> str:
    """Only the last separator can be the decimal one, and only when it is not also that of thousands."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return digits
    whole, fraction = digits[:last], digits[last + 1 :]
    separator, others = digits[last], set(re.findall(r"[.,]", whole))
    thousands = separator in others or (not others and len(fraction) == _THOUSAND_DIGITS)
    whole = re.sub(r"[.,]", "", whole)
    return whole + fraction if thousands else f"{whole or '0'}.{fraction}"


def day(cell: str, date_format: str | None) -> date:
    """An ISO date, also with a time behind it; else one in `date_format`: DD.MM.YYYY, or strptime's."""
    text = cell.strip()
    if date_format is None:
        try:
            return date.fromisoformat(re.split(r"[T ]", text)[0])
        except ValueError:
            msg = f"{text!r} is no date like 2027-03-31; give {_guessed(text)}"
            raise ValueError(msg) from None
    pattern = date_format
    for token, directive in _TOKENS.items():
        pattern = pattern.replace(token, directive)
    try:
        return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        msg = f"{text!r} is no date like {date_format}"
        raise ValueError(msg) from None


def _guessed(text: str) -> str:
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", text):
        return "--date-format DD.MM.YYYY"
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text):
        return "--date-format DD/MM/YYYY, or MM/DD/YYYY"
    return "--date-format"


def yes_or_no(cell: str) -> bool:
    word = fold_word(cell)
    if word in _YES:
        return True
    if word in _NO:
        return False
    msg = f"{cell.strip()!r} is neither yes nor no"
    raise ValueError(msg)


def one_of(cell: str, known: Mapping[str, str]) -> str | None:
    """The id that `cell` means: itself, or what it is called. `known` is from folded names to ids."""
    return known.get(fold_word(cell))


def fold_word(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def slug(text: str) -> str:
    """An id made of a name: `Hafenkontor Logistik` → `hafenkontor-logistik`. Empty without a letter."""
    spelled = text.casefold().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"})
    return re.sub(r"[^a-z0-9._]+", "-", fold_word(spelled)).strip("-._")[:64]
