"""The console's parts and how they are put together. Starting order: each needs those before it.

It works without Kafka: all that is changed here is state, which the services follow in MongoDB.
"""

from __future__ import annotations

from services.console.api.accounts import AccountsApi, Parts
from services.console.http import create_http
from services.console.pages.first import FirstPage
from services.console.settings import ConsoleSettings
from shared import clock
from shared.service import Service
from shared.store.api_keys import ApiKeyFollower, ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryFollower, DirectoryStore
from shared.store.logins import LoginStore
from shared.store.migrations import Migrator


def create_app(settings: ConsoleSettings) -> Service:
    store = Store(settings.mongo)
    followed, keys = DirectoryFollower(store), ApiKeyFollower(store)
    parts = Parts(keys, DirectoryStore(store), followed, clock.now)
    first = FirstPage(
        LoginStore(store), ApiKeyStore(store), settings.internal_tokens, settings.console_url, clock.now
    )
    http = create_http(AccountsApi(parts, settings.console.max_body_bytes), first.router)
    return Service("console", settings, [store, Migrator(store), followed, keys], http=http)
