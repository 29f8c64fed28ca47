"""Domains at which anybody may have an address: no account's, or everybody there would speak for it."""

from __future__ import annotations

MAIL_PROVIDERS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com"}
    | {"yahoo.de", "yahoo.fr", "yahoo.es", "icloud.com", "me.com", "aol.com", "proton.me", "protonmail.com"}
    | {"gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de"}
    | {"mailbox.org", "orange.fr", "free.fr", "wanadoo.fr", "laposte.net", "sfr.fr", "hotmail.fr"}
    | {"hotmail.es", "telefonica.net", "bluewin.ch", "zoho.com", "fastmail.com", "yandex.com", "qq.com"}
)
