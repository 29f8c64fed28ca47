"""Makes the keys and passwords of an installation, once, each into the folders of those who may read it.

`python -m deploy.docker.keys --secrets FOLDER --shared FOLDER --mongodb FOLDER`, before anything else starts.
What is there already stays. A value of LISTENINGPOST_CONTRIBUTORS_KEY or LISTENINGPOST_INTERNAL_TOKEN in the
environment is a key of your own, and none is made.

--secrets  ingest and notifier: the key for confidences, the tools' token, the password for MongoDB
--shared   everybody else of ours: the token and the password
--mongodb  MongoDB: the key of its replica set, the administrator's password
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet

from shared.errors import ConfigurationError
from shared.settings import CONTRIBUTORS_KEY, INTERNAL_TOKEN, CommonSettings, load

MONGO_PASSWORD = "mongo__password"  # noqa: S105 - a name
KEY_FILE = "keyfile"
ADMIN_PASSWORD = "admin_password"  # noqa: S105 - a name
#: MongoDB runs as a user of its own, in our group.
_OURS, _OUR_GROUPS = 0o600, 0o440
#: Bytes; MongoDB takes a key of 6 to 1,024 characters.
_KEY_FILE_BYTES = 756


def make(own: Path, shared: Path, mongodb: Path, *, settings: CommonSettings) -> list[str]:
    """Every key has its place. Returns what was made."""
    token, password = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    wanted = [
        (mongodb / KEY_FILE, base64.b64encode(secrets.token_bytes(_KEY_FILE_BYTES)).decode(), _OUR_GROUPS),
        (mongodb / ADMIN_PASSWORD, secrets.token_urlsafe(32), _OUR_GROUPS),
        (own / MONGO_PASSWORD, password, _OURS),
    ]
    if settings.contributors_key is None:
        wanted.append((own / CONTRIBUTORS_KEY, Fernet.generate_key().decode(), _OURS))
    if settings.internal_token is None:
        wanted.append((own / INTERNAL_TOKEN, token, _OURS))
    made = [path.name for path, value, mode in wanted if _make(path, value, mode)]
    share(own, shared)
    return made


def share(own: Path, shared: Path) -> None:
    """Who has no business with confidences finds the rest in a folder of their own, as it is now."""
    for name in (INTERNAL_TOKEN, MONGO_PASSWORD):
        if not (own / name).is_file():
            continue
        value = (own / name).read_text(encoding="utf-8")
        if not (shared / name).is_file() or (shared / name).read_text(encoding="utf-8") != value:
            (shared / name).unlink(missing_ok=True)
            _make(shared / name, value, _OURS)


def _make(path: Path, value: str, mode: int) -> bool:
    """The file has this content; False: it was there before, and stays."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value)
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.docker.keys", description=__doc__)
    for name in ("secrets", "shared", "mongodb"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    try:
        made = make(chosen.secrets, chosen.shared, chosen.mongodb, settings=load(CommonSettings))
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"cannot make the keys: {error}\n")
        return 2
    if CONTRIBUTORS_KEY in made:
        sys.stdout.write("the key for confidences is new: keep a copy of it, where the backups are not\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
