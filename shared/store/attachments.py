"""Attachments in GridFS: one copy of a content, held by the pieces that show it; the last out deletes it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from shared.store.connection import Store, guard
from shared.store.owners import ATTACHMENT_CHUNKS, ATTACHMENTS

_BUCKET = "attachments"
#: The logo under every mail of a company; a document holds 16 MB, so then a further copy begins.
_MAX_REFERENCES = 10_000


class AttachmentStore:
    """Bytes by their SHA-256. A reference is the feedback_id of a piece that shows them."""

    def __init__(self, store: Store) -> None:
        self._files = store.collection(ATTACHMENTS.name)
        self._chunks = store.collection(ATTACHMENT_CHUNKS.name)
        self._store = store

    @cached_property
    def _bucket(self) -> AsyncIOMotorGridFSBucket:
        # Not made with the rest: it binds the client to the event loop that runs, and an app is made before.
        return AsyncIOMotorGridFSBucket(self._store.db, bucket_name=_BUCKET)

    async def keep(self, sha256: str, content: bytes, media_type: str, feedback_id: str) -> None:
        """`content` can be read under `sha256` as long as `feedback_id` refers to it. May be repeated.

        Two at once may store two copies of one content, which costs space and nothing else. Raises
        DependencyDown.
        """
        living = {
            "metadata.sha256": sha256,
            "metadata.dropped": {"$ne": True},
            f"metadata.feedback_ids.{_MAX_REFERENCES - 1}": {"$exists": False},
        }
        with guard():
            found = await self._files.update_one(
                living, {"$addToSet": {"metadata.feedback_ids": feedback_id}}
            )
            if found.matched_count:
                return
            metadata = {"sha256": sha256, "media_type": media_type, "feedback_ids": [feedback_id]}
            await self._bucket.upload_from_stream(sha256, content, metadata=metadata)

    async def read(self, sha256: str) -> tuple[bytes, str] | None:
        """Content and media type; None when nobody refers to it any more. Raises DependencyDown."""
        with guard():
            file = await self._files.find_one({"metadata.sha256": sha256, "metadata.dropped": {"$ne": True}})
            if file is None:
                return None
            try:
                stream = await self._bucket.open_download_stream(file["_id"])
                content: bytes = await stream.read()
            except NoFile:
                return None
            return content, str(file["metadata"]["media_type"])

    async def release(self, *feedback_ids: str) -> int:
        """These pieces refer to nothing any more. Returns how many contents are gone; may be repeated.

        What is about to go is marked first, so that nobody adds a reference to it, and a crash in between is
        made good by the next release. Raises DependencyDown.
        """
        mine = {"metadata.feedback_ids": {"$in": list(feedback_ids)}}
        with guard():
            candidates = [file["_id"] async for file in self._files.find(mine, {"_id": 1})]
            if candidates:
                await self._files.update_many(mine, {"$pull": mine})
                unused = {"_id": {"$in": candidates}, "metadata.feedback_ids": {"$size": 0}}
                await self._files.update_many(unused, {"$set": {"metadata.dropped": True}})
            return await self._sweep()

    async def _sweep(self) -> int:
        dropped: list[Any] = [
            file["_id"] async for file in self._files.find({"metadata.dropped": True}, {"_id": 1})
        ]
        for file_id in dropped:
            await self._chunks.delete_many({"files_id": file_id})
            await self._files.delete_one({"_id": file_id})
        return len(dropped)
