from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.redact import redact, redact_text
from services.ingest.domain.redact_cards import PLACEHOLDER as CARD
from services.ingest.domain.redact_cards import is_card_number
from services.ingest.domain.redact_secrets import KEY, PASSWORD
from tests.support.submissions import submission


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Published test numbers of the issuers.
        ("4111111111111111", CARD),
        ("my card 4111 1111 1111 1111, thanks", f"my card {CARD}, thanks"),
        ("4111-1111-1111-1111.", f"{CARD}."),
        ("4111\u00a01111\u00a01111\u00a01111", CARD),
        ("4111.1111.1111.1111", CARD),
        ("4222222222222", CARD),
        ("378282246310005", CARD),
        ("3782 822463 10005", CARD),
        ("5555555555554444", CARD),
        ("2223003122003222", CARD),
        ("6011000990139424", CARD),
        ("30569309025904", CARD),
        ("3056 930902 5904", CARD),
        ("3530111333300000", CARD),
        ("6304000000000000 000", CARD),
        ("card:4111111111111111", f"card:{CARD}"),
        ("12 4111111111111111 on 4 May", f"12 {CARD} on 4 May"),
        ("order 1234 5678 card 4111 1111 1111 1111 07/28", f"order 1234 5678 card {CARD} 07/28"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", f"{CARD} {CARD}"),
        ("٤١١١١١١١١١١١١١١١", CARD),
    ],
)
def test_card_numbers_go(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "+49 170 1234567 8901",
        "+1 (800) 555-1234 ext. 5678",
        "0049 1701 2345678",
        "call +41111111111111111",
        "order 1000 2000 3000 4000",
        "4111111111111112",
        "411111111111",
        "ticket 41111111111111111111",
        "IBAN DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "1763812345678901",
        "2026-05-04 09:30:00.123456 and 2026-05-05 10:00",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha 4111111111111111abcdef",
        "IMEI 490154203237518",
        "EAN 4006381333931",
        "tracking 1Z999AA10123456784",
        "9 8 7 6 5 4 3 2 1 0 9 8 7 6 5 4 3 2 1 0 items",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key AKIAIOSFODNN7EXAMPLE here", f"key {KEY} here"),
        ("ghp_" + "a1B2" * 9, KEY),
        ("github_pat_" + "a1B2_" * 8, KEY),
        ("glpat-" + "a1B2c3D4e5" * 2, KEY),
        ("xoxb-123456789012-abcdefGHIJKL", KEY),
        ("sk_live_" + "a1B2c3D4" * 3, KEY),
        ("AIza" + "a1B2c" * 7, KEY),
        ("npm_" + "a1B2" * 9, KEY),
        ("whsec_" + "a1B2c3D4" * 4, KEY),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", KEY),
        ("curl -H 'Authorization: Bearer abcdefghij0123'", f"curl -H 'Authorization: Bearer {KEY}'"),
        ("https://hooks.slack.com/services/T0/B0/abcdefghijkl", f"https://hooks.slack.com/services/{KEY}"),
        ("postgres://bob:s3cret@db.example/x", f"postgres://bob:{PASSWORD}@db.example/x"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nvQ==\n-----END PRIVATE KEY-----\nbye", f"{KEY}\nbye"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn and it was cut off", KEY),
        ("password: hunter2", f"password: {PASSWORD}"),
        ("Password : hunter2, user: bob", f"Password : {PASSWORD}, user: bob"),
        ("PASSWORD=hunter2", f"PASSWORD={PASSWORD}"),
        ("DB_PASSWORD=hunter2", f"DB_PASSWORD={PASSWORD}"),
        ('{"password": "correct horse"}', f'{{"password": "{PASSWORD}"}}'),
        ("password: swordfish", f"password: {PASSWORD}"),
        ("my password is hunter2!", f"my password is {PASSWORD}!"),
        ("Passwort: Sommer2026.", f"Passwort: {PASSWORD}."),
        ("mot de passe : soleil7", f"mot de passe : {PASSWORD}"),
        ("contraseña: sol7", f"contraseña: {PASSWORD}"),
        ("api key: 0123abcd", f"api key: {KEY}"),
        ("client_secret=0123abcd", f"client_secret={KEY}"),
    ],
)
def test_secrets_go(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Password: reset link never arrives",
        "Password: the policy is too strict",
        "The password is displayed in clear text",
        "I forgot my password. Please help",
        "Passwort: vergessen geht nicht",
        "Password: ********",
        "Passwords should be longer",
        "the token page is slow",
        "sk-learn and task-based-things-are-all-fine-here",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        "https://portal.example/a:b@c",
        "SKU 1234, SG 5",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact_text(text) == text


def test_title_and_text_are_redacted_and_the_rest_is_left() -> None:
    clean = redact(
        submission(title="4111111111111111", text="password: hunter2", external_id="4111111111111111")
    )
    assert (clean.title, clean.text) == (CARD, f"password: {PASSWORD}")
    assert clean.external_id == "4111111111111111"


def luhn_complete(digits: str) -> str:
    """`digits` with the check digit they need."""
    return next(digits + str(check) for check in range(10) if is_card_number(digits + str(check)))


VISA = st.from_regex(r"\A4[0-9]{14}\Z").map(luhn_complete)
SENTENCE = st.text(st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="_+"), max_size=40)


@given(SENTENCE, VISA, st.sampled_from(["", " ", "-"]), SENTENCE)
def test_no_card_number_survives(before: str, digits: str, separator: str, after: str) -> None:
    written = separator.join(digits[start : start + 4] for start in range(0, 16, 4))
    shown = redact_text(f"{before} {written} {after}")
    assert written not in shown
    assert CARD in shown


@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@given(st.text(st.sampled_from("0123456789 -.+x"), max_size=120))
def test_numbers_of_every_shape_are_survived(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "1 " * 50_000 + "x",
        "4111 " * 20_000,
        "1" * 100_000,
        "eyJ-" * 25_000,
        "password: " * 10_000,
        "-----BEGIN " * 9_000,
        "sk-" * 33_000,
        "http://a:" * 11_000,
        "AB12 " * 20_000 + "4" * 16,
    ],
    ids=lambda text: text[:10],
)
def test_no_text_takes_long(text: str) -> None:
    redact_text(text)
