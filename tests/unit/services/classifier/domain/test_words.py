"""Keywords, cues and words of judgement in a segment."""

from __future__ import annotations

import pytest

from services.classifier.domain.cues import Cues
from services.classifier.domain.keywords import Keywords
from services.classifier.domain.score import certainty, pick, saturate
from services.classifier.domain.split import Segment, split
from services.classifier.domain.valence import Judgements


def segment(text: str) -> Segment:
    (only,) = split("text", text)
    return only


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("invoice", "Two invoices came", "invoices"),
        ("invoice", "INVOICE missing", "INVOICE"),
        ("Rechnung", "die Rechnungsposten", "Rechnungsposten"),
        ("facture", "Factures !", "Factures"),
        ("création de compte", "la creation de comptes", "creation de comptes"),
        ("log in", "I cannot log in", "log in"),
        ("port", "the portal", None),
        ("API", "the apiary", None),
        ("API", "our API, please", "API"),
        ("log in", "a log of mine", None),
        ("bill", "Billy came", None),
        ("bill", "no bills yet", "bills"),
    ],
)
def test_keyword(keyword: str, text: str, found: str | None) -> None:
    hits = Keywords([{keyword: 1.0}, {}]).find(segment(text))
    assert [text[hit.start : hit.end] for hit in hits] == ([found] if found else [])


def test_a_word_of_every_label_says_nothing_and_a_rare_one_much() -> None:
    labels = [{"line": 1.0, "router": 1.0}, {"line": 1.0}, {"line": 1.0, "bill": 1.0}, {"bill": 1.0}]
    weights = {
        (hit.keyword, hit.label): hit.weight for hit in Keywords(labels).find(segment("line router bill"))
    }
    assert weights["router", 0] == 1.0
    assert weights["router", 0] > weights["bill", 2] > weights["line", 0] > 0
    everywhere = Keywords([{"line": 1.0}] * 4).find(segment("line"))
    assert {hit.weight for hit in everywhere} == {0.0}


def test_saying_a_word_often_does_not_make_it_surer() -> None:
    keywords = Keywords([{"bill": 1.0, "invoice": 1.0}, {"router": 1.0}])
    once, often = (saturate(keywords.find(segment(text)), 2) for text in ("bill", "bill bill bill"))
    both = saturate(keywords.find(segment("bill invoice")), 2)
    assert once == often
    assert 0 < once[0] < both[0] < 1
    assert once[1] == 0


def test_picking() -> None:
    assert pick([0.2, 0.9, 0.8, 0.55], least=0.5, most=3, behind=0.3) == [1, 2]
    assert pick([0.9, 0.9, 0.9, 0.9], least=0.5, most=3, behind=0.3) == [0, 1, 2]
    assert pick([0.4], least=0.5, most=3, behind=0.3) == []
    assert pick([], least=0.5, most=3, behind=0.3) == []


def test_certainty_is_bounded() -> None:
    assert certainty(0) == 0.5
    assert 0 <= certainty(-1e9) < 1e-9
    assert 1 - 1e-9 < certainty(1e9) <= 1


def test_cues_start_at_a_word_and_know_their_language() -> None:
    cues = Cues({"praise": {"en": ["great"], "de": ["toll"]}, "odd": {"fr": ["bien"]}})
    assert [cue.meaning for cue in cues.find(segment("ingreat and great"), "en")] == ["praise"]
    assert cues.find(segment("ingreat"), "en") == []
    assert cues.find(segment("toll"), "en") == []
    assert [(cue.start, cue.end) for cue in cues.find(segment("so toll"), "de")] == [(3, 7)]
    assert cues.find(segment("great"), "de"), "English words turn up in every language"
    assert cues.find(segment("toll, bien"), "und"), "without a language all of them are tried"
    assert cues.find(segment("toll"), "it")


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("good", 1.0, 0.0),
        ("not good", 0.0, 1.0),
        ("not a very good idea", 0.0, 1.0),
        ("bad", 0.0, 1.0),
        ("not bad", 0.5, 0.0),
        ("it isn't good", 0.0, 1.0),
        ("good and bad", 1.0, 1.0),
        ("sehr gut", 1.0, 0.0),
        ("nothing here", 0.0, 0.0),
    ],
)
def test_words_of_judgement(text: str, good: float, bad: float) -> None:
    words = Judgements(
        {"good": {"en": ["good"], "de": ["gut"]}, "bad": {"en": ["bad"]}, "negation": {"en": ["not"]}}
    )
    valence = words.weigh(segment(text))
    assert (valence.good, valence.bad) == (good, bad)
