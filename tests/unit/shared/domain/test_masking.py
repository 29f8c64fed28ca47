"""Names, addresses and numbers go out of texts; what is none stays."""

from __future__ import annotations

import pytest

from shared.domain.masking import mask, mask_contacts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Write to ada@customer.example.", "Write to [address removed]."),
        ("mail=ada+x@mail.customer.example&y", "[address removed]&y"),
        ("Call +49 (0)30 1234567 today", "Call [number removed] today"),
        ("Call 030/1234567-89.", "Call [number removed]."),
        ("Invoice 4711 of 2026-03-02 over 1.234,50 EUR", "Invoice 4711 of 2026-03-02 over 1.234,50 EUR"),
        ("", ""),
    ],
)
def test_addresses_and_telephone_numbers_go(text: str, shown: str) -> None:
    assert mask_contacts(text) == shown


def test_a_name_goes_where_it_is_a_word_of_its_own() -> None:
    assert mask("Ada met Adam and ada", ["Ada"]) == "[name removed] met Adam and ada"
