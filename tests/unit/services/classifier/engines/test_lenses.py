"""Which departments a piece concerns."""

from __future__ import annotations

import pytest

from services.classifier.engines.lenses import LENSES, LensEngine
from services.classifier.words import load
from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.domain.workspace import LensWords
from tests.support.feedback import piece
from tests.support.tagger import example, tag, tagger


@pytest.mark.parametrize(
    ("text", "lens"),
    [
        ("The figures in the monthly statistics contradict each other.", Lens.DATA_SCIENCE),
        ("Die Auswertung nach Filialen stimmt nicht mit unseren Zahlen überein.", Lens.DATA_SCIENCE),
        ("Our move was scheduled for May and has been put off until August.", Lens.PROJECT_MANAGEMENT),
        ("Le calendrier de la migration change toutes les semaines.", Lens.PROJECT_MANAGEMENT),
        ("Saving a form ends in a blank screen.", Lens.DEVELOPMENT),
        ("La aplicación deja de responder después de actualizar.", Lens.DEVELOPMENT),
        ("I had to wait twenty minutes until somebody picked up the phone.", Lens.CONSULTING_SUPPORT),
        ("Das Handbuch erklärt nicht, wie man anfängt.", Lens.CONSULTING_SUPPORT),
        ("We chose you over two rivals because your offer was easier to compare.", Lens.SALES_MARKETING),
        ("Vos prix sont trop élevés par rapport au marché.", Lens.SALES_MARKETING),
        ("VAT is missing on the last two invoices.", Lens.FINANCE_LEGAL),
        ("Exigimos la devolución del importe cobrado por error.", Lens.FINANCE_LEGAL),
        ("Our board no longer trusts this partnership.", Lens.MANAGEMENT),
        ("Nach diesem Vorfall haben wir jedes Vertrauen in Ihr Unternehmen verloren.", Lens.MANAGEMENT),
        ("Grey letters on a grey ground cannot be read.", Lens.DESIGN),
        ("El menú es un laberinto, no encuentro nada.", Lens.DESIGN),
    ],
)
def test_the_first_lens(text: str, lens: Lens) -> None:
    assert tag(text).lenses[0].id == lens


def test_a_piece_may_concern_several() -> None:
    tags = tag("I was charged twice, and the app shows an error when I open the invoice.")
    assert {lens.id for lens in tags.lenses} >= {Lens.FINANCE_LEGAL, Lens.DEVELOPMENT}


def test_no_words_no_lens() -> None:
    assert tag("").lenses == ()


def test_the_workspace_adds_its_own_words() -> None:
    text = "The flumex is gone."
    own = LensWords(id=Lens.DESIGN, keywords=("flumex",), examples=("The flumex is nowhere to be seen.",))
    workspace = example().workspace.model_copy(update={"lenses": (own,)})
    engine = LensEngine(tagger()._encoder)
    read = tagger()._segments.read(piece(text=text))
    vectors = tagger()._encoder.encode([segment.text for segment in read.segments])
    lenses = engine.find(read, vectors, engine.fitted(Directory(workspace, 7)))
    assert lenses[0].id == Lens.DESIGN
    assert lenses[0].evidence[0].quote == "flumex"


def test_every_lens_ships_with_words_in_four_languages() -> None:
    words = load("lenses")["lenses"]
    assert list(words) == list(LENSES)
    for lens in LENSES:
        assert words[lens]["description"]
        for kind, least in (("keywords", 10), ("examples", 7)):
            assert all(len(words[lens][kind][language]) >= least for language in ("en", "de", "fr", "es"))
