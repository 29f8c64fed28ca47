"""Files of Slack messages: from Slack's own hosts only, bounded, never the reason to lose a message."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from services.ingest.domain.slack.envelope import SlackFile
from services.ingest.domain.submission import File
from services.ingest.settings import SlackSettings
from shared.errors import PermanentError, Reason, TransientError
from shared.section import in_turn

_TIMEOUT_S = 20.0
_TRIES = 3
#: Slack tells a wrong token in several ways, a login page among them.
_PERHAPS_THE_TOKEN = frozenset({Reason.REJECTED, Reason.FORBIDDEN})


class SlackFiles:
    """Downloads with the app's bot token."""

    def __init__(self, settings: SlackSettings, max_file_bytes: int) -> None:
        self._settings = settings
        self._api = str(settings.api_url)
        self._max_file_bytes = max_file_bytes
        self._opened: httpx.AsyncClient | None = None

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            # Redirects are not followed: Slack sends to a login page when the token may not read the file,
            # and a redirect is how a request is led to another host.
            self._opened = httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)
        return self._opened

    def open(self) -> None:
        """Reading the certificates of all authorities takes 50 ms: the first message need not wait for it."""
        if self._settings.by_now("bot_token"):
            _ = self._client

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    async def fetch(self, file: SlackFile) -> File:
        """The file's bytes, by the newest token that Slack takes.

        Raises PermanentError, or TransientError after three tries.
        """
        tokens = in_turn(self._settings.by_now("bot_token"))
        if not tokens:
            raise PermanentError(Reason.CONFIGURATION, "there is no bot token to fetch files with")
        for token in tokens[:-1]:
            try:
                return await self._try(file, token)
            except PermanentError as error:
                if error.reason not in _PERHAPS_THE_TOKEN:
                    raise
        return await self._try(file, tokens[-1])

    async def _try(self, file: SlackFile, token: SecretStr) -> File:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=0.3, max=5),
            reraise=True,
        )
        return await tries(self._fetch, file, token)

    async def _fetch(self, file: SlackFile, token: SecretStr) -> File:
        if file.file_access == "check_file_info" or not (file.url_private_download or file.url_private):
            file = await self._info(file, token)
        url = file.url_private_download or file.url_private or ""
        if not self._is_slack(url):
            raise PermanentError(Reason.REJECTED, "the file lies outside Slack")
        if (file.size or 0) > self._max_file_bytes:
            raise PermanentError(Reason.TOO_LARGE, "the file is too large")
        media_type = file.mimetype or "application/octet-stream"
        content = await self._download(url, media_type, token)
        return File(file.name or file.title or "file", media_type, content)

    async def _info(self, file: SlackFile, token: SecretStr) -> SlackFile:
        """The rest of a stub: Slack does not send what a file of another workspace is, one has to ask."""
        url = httpx.URL(self._api).join("files.info")
        try:
            response = await self._client.get(
                url, params={"file": file.id or ""}, headers=_authorization(token)
            )
            self._raise_for(response)
            answer: Any = response.json()
        except httpx.HTTPError as error:
            raise TransientError(Reason.UNREACHABLE, f"files.info failed: {type(error).__name__}") from None
        except ValueError:
            raise TransientError(Reason.MALFORMED, "files.info did not answer in JSON") from None
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise PermanentError(Reason.REJECTED, "files.info refused")
        return SlackFile.model_validate(answer.get("file") or {})

    async def _download(self, url: str, media_type: str, token: SecretStr) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async with self._client.stream("GET", url, headers=_authorization(token)) as response:
                self._raise_for(response)
                is_page = response.headers.get("content-type", "").startswith("text/html")
                if is_page and not media_type.startswith("text/"):
                    raise PermanentError(Reason.FORBIDDEN, "a login page came: the token lacks files:read")
                async for chunk in response.aiter_bytes():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > self._max_file_bytes:
                        raise PermanentError(Reason.TOO_LARGE, "the file is too large")
        except httpx.HTTPError as error:
            raise TransientError(Reason.UNREACHABLE, f"the download failed: {type(error).__name__}") from None
        return b"".join(chunks)

    def _raise_for(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise TransientError(Reason.RATE_LIMITED, f"Slack answered {response.status_code}")
        if not response.is_success:
            raise PermanentError(Reason.REJECTED, f"Slack answered {response.status_code}")

    def _is_slack(self, url: str) -> bool:
        """Whether our token may go there: Slack's hosts over TLS, and the origin of `api_url`."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            own = urlsplit(self._api)
            if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
                return True
            over_tls = parts.scheme == "https" and parts.port in (None, 443)
        except ValueError:
            return False
        return over_tls and not parts.username and (host == "slack.com" or host.endswith(".slack.com"))


def _authorization(token: SecretStr) -> dict[str, str]:
    return {"authorization": f"Bearer {token.get_secret_value()}"}
