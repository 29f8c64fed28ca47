"""The addresses and passwords that MongoDB may know us by, and a client for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr
from pymongo.errors import ConfigurationError as DriverRefuses
from pymongo.errors import InvalidURI, OperationFailure

from shared.errors import ConfigurationError
from shared.settings import MongoSettings
from shared.store.away import SETTING

Client: TypeAlias = AsyncIOMotorClient[dict[str, Any]]
#: AuthenticationFailed. Source: src/mongo/base/error_codes.yml
_REFUSED = 18


@dataclass(frozen=True, slots=True)
class Login:
    uri: SecretStr
    password: SecretStr | None


def logins(settings: MongoSettings) -> tuple[Login, ...]:
    """All that the settings have by now, the newest first; one at least."""
    passwords = settings.by_now("password") or (None,)
    return tuple(Login(uri, password) for uri in settings.by_now("uri") for password in passwords)


def connect(login: Login, settings: MongoSettings) -> Client:
    """A client that has not spoken to the server yet. Raises ConfigurationError."""
    timeout_ms = settings.server_selection_timeout_ms
    try:
        return AsyncIOMotorClient(
            login.uri.get_secret_value(),
            **_password(login),
            appname="listeningpost",
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=20_000,
            retryWrites=True,
            maxPoolSize=64,
        )
    except InvalidURI as error:
        # The driver's own words may hold a part of it.
        msg = f"{SETTING} is no address of MongoDB; what is special in a name or password is written %40"
        raise ConfigurationError(msg) from error
    except (DriverRefuses, ValueError, OSError) as error:
        msg = f"{SETTING}: an option, or a file that it names, is of no use ({type(error).__name__})"
        raise ConfigurationError(msg) from error


async def is_taken(client: Client) -> bool:
    """Whether the server lets it in. Raises PyMongoError where it cannot be asked."""
    try:
        await client.admin.command("ping")
    except OperationFailure as error:
        if error.code != _REFUSED:
            raise
        return False
    return True


def _password(login: Login) -> dict[str, Any]:
    """The one that the address has left out. The driver prefers even None to what the address has."""
    named = urlsplit(login.uri.get_secret_value())
    if login.password is None or not named.username or named.password:
        return {}
    return {"password": login.password.get_secret_value()}
