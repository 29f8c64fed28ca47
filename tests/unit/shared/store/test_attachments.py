"""Repositories are made before there is an event loop."""

from __future__ import annotations

from shared.settings import MongoSettings
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store


def test_making_the_repository_binds_the_client_to_no_event_loop() -> None:
    store = Store(MongoSettings())
    AttachmentStore(store)
    assert store.db.client._io_loop is None
    store.db.client.close()
