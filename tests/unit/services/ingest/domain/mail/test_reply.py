"""What is left of a mail without its quotes and its signature; and that it is never nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.mail.message import read
from services.ingest.domain.mail.reply import is_forward, is_reply, latest, without_signature
from tests.support.fixtures import contents, payloads

ASKED = "> Is the invoice right now?\n> Support"


@pytest.mark.parametrize(
    ("introduction", "quote"),
    [
        ("On Mon, 4 May 2026 at 10:00, Support <s@brightline.example> wrote:", ASKED),
        ("On Mon, 4 May 2026 at 10:00, Support\n<s@brightline.example> wrote:", ASKED),
        ("Am 4. Mai 2026 um 10:00 schrieb Support <s@brightline.example>:", ASKED),
        ("Le lun. 4 mai 2026 à 10:00, Support <s@brightline.example> a écrit :", ASKED),
        ("El lun, 4 may 2026 a las 10:00, Support (<s@brightline.example>) escribió:", ASKED),
        ("пн, 4 мая 2026 г. в 10:00, Support <s@brightline.example>:", ASKED),  # noqa: RUF001 - Russian
        ("-----Original Message-----", "From: Support\nSent: Monday\n\nIs the invoice right now?"),
        ("From: Support\nSent: Monday, May 4\nTo: Ada\nSubject: Invoice", "\nIs the invoice right now?"),
        ("Von: Support\nGesendet: Montag\nAn: Ada\nBetreff: Rechnung", "\nIst die Rechnung richtig?"),
        ("De : Support\nEnvoyé : lundi\nÀ : Ada\nObjet : Facture", "\nLa facture est-elle juste ?"),
        ("________________________________", "Is the invoice right now?"),
        ("", ASKED),
    ],
)
def test_a_quote_goes_with_what_introduces_it(introduction: str, quote: str) -> None:
    assert latest(f"No, still wrong.\n\n{introduction}\n\n{quote}\n") == "No, still wrong."


def test_answers_between_the_quoted_lines_are_kept() -> None:
    text = "See below.\n\nOn Monday, S wrote:\n> Is it right?\nNo.\n> Is it late?\n\nYes, a week.\n"
    assert latest(text) == "See below.\n\nNo.\n\nYes, a week."


def test_an_answer_under_the_quote_is_kept() -> None:
    assert latest("On Monday, S wrote:\n> Is it right?\n\nNo, it is not.\n") == "No, it is not."


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAda Lovelace\nEngine Works Ltd",
        "--\nAda",
        "Best regards,\nAda",
        "Kind regards\n\nAda Lovelace\n+44 1 234",
        "Mit freundlichen Grüßen\nAda",
        "Viele Grüße\nAda",
        "Cordialement,\nAda",
        "Saludos,\nAda",
        "Sent from my iPhone",
        "Get Outlook for Android",
        "Von meinem iPhone gesendet",
    ],
)
def test_a_signature_goes(signature: str) -> None:
    assert latest(f"The invoice is wrong.\n\n{signature}\n") == "The invoice is wrong."


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but the invoice is still wrong and nobody in your support team has answered me.",
        "Three things:\n- the invoice\n- the portal\n- the contract",
        "Thanks,\n\n" + "\n".join(f"and point number {n} of my list is this one here." for n in range(20)),
        "The path is\n/api/v1/invoices\nand it answers 500.",
        "Data: the table is empty.",
        "Best\nof all: the new portal.",
        "Confidential: do not tell my boss.",
        "--",
        "-- \nonly a signature",
        "> only a quote",
        "On Monday, S wrote:\n> all of it is quoted",
        "Sent from my iPhone",
    ],
)
def test_words_that_look_like_something_else_are_kept(text: str) -> None:
    assert latest(text).split() == text.split()


def test_lines_marked_as_quotes_in_a_mail_that_answers_nothing_are_the_senders() -> None:
    text = "The portal says:\n> Error 500\nWhat now?"
    assert latest(text, answer=False) == text
    assert latest(text) == "The portal says:\nWhat now?"


def test_a_forward_keeps_what_it_passes_on() -> None:
    text = (
        "FYI\n\n---------- Forwarded message ---------\nFrom: Carl\nDate: Monday\n\nIt is broken.\n\n-- \nAnn"
    )
    assert is_forward("", text)
    assert without_signature(text).endswith("It is broken.")


@pytest.mark.parametrize(
    ("subject", "forward", "reply"),
    [
        ("Fwd: Invoice", True, False),
        ("WG: Rechnung", True, False),
        ("TR : facture", True, False),
        ("Re: Invoice", False, True),
        ("AW: Rechnung", False, True),
        ("RE[2]: Invoice", False, True),
        ("Invoice", False, False),
        ("Forward looking: a wish", False, False),
        ("Regarding: invoice", False, False),
    ],
)
def test_a_subject_tells_a_forward_and_a_reply(subject: str, *, forward: bool, reply: bool) -> None:
    assert (is_forward(subject, ""), is_reply(subject)) == (forward, reply)


@given(st.text(max_size=400), st.booleans())
def test_something_is_always_left(text: str, answer: bool) -> None:  # noqa: FBT001 - made up by hypothesis
    assert bool(latest(text, answer=answer).strip()) or not text.strip()


@pytest.mark.parametrize(
    "text",
    [
        ("On " + "x " * 120 + "\n") * 170,
        ("Den 1 " + "skrev " * 25 + "\n") * 170,
        "\n" * 40_000 + "x",
        "Von\n" * 10_000,
        "a\n" * 50_000,
        "> From: a\n" * 4_000,
        "Thanks,\n" * 5_000,
    ],
)
def test_text_made_to_hold_us_up_does_not(text: str) -> None:
    began = time.process_time()
    latest(text)
    # Measured 0.05-0.4 s here; without the bounds up to a minute.
    assert time.process_time() - began < 3


@pytest.mark.parametrize("path", payloads("email_reply/mailgun__talon/tests/fixtures/standard_replies"))
def test_real_replies_say_hello(path: Path) -> None:
    assert read(contents(path), max_parts=100).text == "Hello"


@pytest.mark.parametrize("path", payloads("email_reply/mailgun__talon/tests/fixtures/html_replies"))
def test_real_replies_in_html_say_that_they_are_fine(path: Path) -> None:
    raw = b"Subject: Re: Hi\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + contents(path)
    assert read(raw, max_parts=100).text == "Hi. I am fine."
