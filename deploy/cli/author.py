"""Who types: the name that a change of the directory or a new key is noted with."""

from __future__ import annotations

import getpass


def login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a user id that has no name.
        return "somebody"
