"""Which column becomes what: by its name in four languages, and by what is in it."""

from __future__ import annotations

import pytest

from deploy.cli.importing.guess import guess
from deploy.cli.importing.mapping import mapped
from deploy.cli.output import Failed

TEXT = [
    "The bill is wrong again and nobody answers.",
    "I like the new portal very much.",
    "Where is my router?",
]
DATES = ["2026-05-04", "2026-05-05", "2026-05-06"]
MAILS = ["ada@customer.example", "bo@customer.example", ""]
IDS = ["17", "18", "19"]
NAMES = ["Ada Lovelace", "Bo", "Cy Twombly"]
STARS = ["5", "1", "3"]
NPS = ["10", "0", "7"]


@pytest.mark.parametrize(
    "header",
    [
        ("id", "created_at", "Comment", "email", "Customer Name", "rating"),
        ("Ticketnummer", "Erstellt am", "Kommentar", "E-Mail-Adresse", "Kundenname", "Bewertung"),
        ("Référence", "Date de création", "Commentaire", "Courriel", "Nom du client", "Évaluation"),
        ("Número", "Fecha de creación", "Comentario", "Correo electrónico", "Nombre", "Valoración"),
        ("ID", "createdAt", "reviewText", "userEmail", "userName", "starRating"),
    ],
)
def test_columns_are_known_by_their_names_in_four_languages(header: tuple[str, ...]) -> None:
    rows = list(zip(IDS, DATES, TEXT, MAILS, NAMES, STARS, strict=True))
    assert guess(header, rows) == {
        "external_id": 0,
        "occurred_at": 1,
        "text": 2,
        "author.email": 3,
        "author.name": 4,
        "rating": 5,
    }


def test_without_names_what_is_in_them_tells() -> None:
    rows = list(zip(DATES, MAILS, TEXT, STARS, strict=True))
    assert guess(("1", "2", "3", "4"), rows) == {"occurred_at": 0, "author.email": 1, "text": 2}


def test_a_name_does_not_make_a_column_what_it_cannot_be() -> None:
    rows = [(text, number, "no") for text, number in zip(TEXT, IDS, strict=True)]
    found = guess(("date", "comment", "email"), rows)
    assert found == {"text": 0}


def test_an_id_that_repeats_is_none() -> None:
    rows = [(text, "4711") for text in TEXT]
    assert "external_id" not in guess(("comment", "ticket id"), rows)


def test_of_several_texts_the_name_decides_and_then_the_words() -> None:
    rows = [(long, short) for long, short in zip(TEXT, ("Bill", "Portal", "Router"), strict=True)]
    assert guess(("description", "subject"), rows) == {"text": 0, "title": 1}


def test_what_our_own_errors_file_adds_is_not_used() -> None:
    rows = [("2", "text", "there are no words in it", text) for text in TEXT]
    assert guess(("import_row", "import_field", "import_fault", "Comment"), rows) == {"text": 3}


def test_a_person_has_one_address() -> None:
    rows = list(zip(TEXT, MAILS, IDS, strict=True))
    assert guess(("comment", "email", "customer id"), rows) == {"text": 0, "author.email": 1}


COLUMNS = ("Comment", "Score", "Pros")


def test_what_is_said_replaces_what_was_guessed() -> None:
    found = mapped({"text": 0, "rating": 1}, COLUMNS, ["text=pros", "rating="], ["touchpoint=bill"])
    assert dict(found.columns) == {"text": (2,)}
    assert dict(found.fixed) == {"touchpoint": "bill"}
    assert not found.guessed


def test_several_columns_may_be_what_was_said() -> None:
    assert mapped({}, COLUMNS, ["text=Pros", "text=1"], []).columns["text"] == (2, 0)


@pytest.mark.parametrize(
    ("maps", "sets", "said", "remedy"),
    [
        (["txt=Pros"], [], "no field 'txt'", "did you mean 'text'"),
        (["text=Prso"], [], "no column 'Prso'", "did you mean 'Pros'"),
        (["text=9"], [], "no column '9'", "Comment, Score, Pros"),
        (["Pros"], [], "has no =", "--map text=Pros"),
        ([], ["touchpont=bill"], "no field 'touchpont'", "touchpoint"),
        (["rating=1", "rating=2"], [], "twice", "only text"),
    ],
)
def test_what_cannot_be_mapped_is_said_with_what_could(
    maps: list[str], sets: list[str], said: str, remedy: str
) -> None:
    with pytest.raises(Failed, match=said) as refused:
        mapped({}, COLUMNS, maps, sets)
    assert remedy in refused.value.remedy
