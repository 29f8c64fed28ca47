"""Slack: notices to people and channels, answers in the thread; edited in place, taken back by deletion.

Sources: Slack's Web API (chat.postMessage, chat.update, chat.delete, conversations.history, .replies, .open)
with its lists of errors, and "Rate limits": one message a second and channel.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from services.notifier.domain.slack_message import message_of, withdrawn_message
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.domain.delivery import Delivery, ProviderRef, Purpose, Target
from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from shared.net.retry_after import parse_retry_after
from shared.section import in_turn

_NOT_HANDED_OVER = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
#: Slack says of these that some of it may have happened.
_IN_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout"})
_LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
_TOKEN_REFUSED = frozenset(
    {"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"}
)
_MISCONFIGURED = _TOKEN_REFUSED | frozenset(
    {"missing_scope"}
    | {"no_permission", "not_allowed_token_type", "org_login_required", "ekm_access_denied", "access_denied"}
)
_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived"})
_CODE = re.compile(r"[a-z_]{1,60}")
_MOST_PAGES = 10
#: Slack's clock and ours; and it may show a message a moment late.
_CLOCKS_APART = timedelta(minutes=2)
_TOO_MANY = 429
_SERVER_ERROR = 500

Reply = dict[str, Any]


class SlackReceiver:
    name = "slack"
    can_edit = True

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings.notifier.slack
        self.pause_s = self._settings.pause_s
        self._client: httpx.AsyncClient | None = None
        self._direct: dict[str, str] = {}

    def lane(self, _: Target) -> str:
        return self.name

    async def start(self) -> None:
        if self._settings.by_now("bot_token"):
            self._client = httpx.AsyncClient(
                base_url=str(self._settings.api_url),
                timeout=self._settings.timeout_s,
                follow_redirects=False,
                trust_env=False,
            )

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def send(self, row: Delivery, target: Target, original: ProviderRef | None = None) -> ProviderRef:
        """Slack has the message, the edit or the deletion; the result names channel and timestamp.

        Raises TransientError, PermanentError, UnknownOutcome (not for an edit or a deletion, which can simply
        be repeated).
        """
        if original is not None:
            try:
                return await self._change(row, original)
            except UnknownOutcome as error:
                raise TransientError(Reason.UNREACHABLE, str(error)) from None
        message = {"channel": target.address, **message_of(row)}
        if target.thread is not None:
            message["thread_ts"] = target.thread
        reply = await self._call("chat.postMessage", message)
        return ProviderRef(self.name, str(reply["channel"]), str(reply["ts"]))

    async def find(self, row: Delivery, target: Target) -> ProviderRef | None:
        """The message of this delivery, by the metadata it carries; None when Slack has none.

        Raises TransientError and PermanentError. Asks for what came since the delivery was taken up.
        """
        channel = await self._conversation(target.address)
        since = (row.claimed_at or row.received_at) - _CLOCKS_APART
        asked: Reply = {
            "channel": channel,
            "oldest": f"{since.timestamp():.6f}",
            "include_all_metadata": "true",
            "limit": "200",
        }
        method = "conversations.history"
        if target.thread is not None:
            method, asked = "conversations.replies", {**asked, "ts": target.thread}
        for _ in range(_MOST_PAGES):
            reply = await self._ask(method, asked)
            for message in reply.get("messages", []):
                carried = message.get("metadata", {}).get("event_payload", {})
                if carried.get("delivery_id") == row.id:
                    return ProviderRef(self.name, channel, str(message["ts"]))
            cursor = reply.get("response_metadata", {}).get("next_cursor")
            if not cursor:
                return None
            asked = {**asked, "cursor": cursor}
        raise TransientError(Reason.INTERNAL, "too many messages to look through")

    async def _change(self, row: Delivery, original: ProviderRef) -> ProviderRef:
        """The message is as it should be now. One that is gone already is as good as deleted."""
        where = {"channel": original.address, "ts": original.id}
        if row.purpose is Purpose.REDACTION:
            try:
                await self._call("chat.delete", where, fine=_GONE)
            except PermanentError:
                await self._call("chat.update", {**where, **withdrawn_message()}, fine=_GONE)
        else:
            await self._call("chat.update", {**where, **message_of(row)})
        return original

    async def _conversation(self, address: str) -> str:
        """The channel behind a user's id: what is posted to a person lies in a direct conversation."""
        if not address.startswith(("U", "W")):
            return address
        if address not in self._direct:
            reply = await self._ask("conversations.open", {"users": address})
            self._direct[address] = str(reply["channel"]["id"])
        return self._direct[address]

    async def _ask(self, method: str, values: Reply) -> Reply:
        """A question, which may be repeated whatever became of it."""
        try:
            return await self._call(method, values, as_form=True)
        except UnknownOutcome as error:
            raise TransientError(Reason.UNREACHABLE, str(error)) from None

    async def _call(
        self, method: str, values: Reply, *, fine: frozenset[str] = frozenset(), as_form: bool = False
    ) -> Reply:
        """With the newest token that Slack takes: what it refuses for its token, it has not done."""
        tokens = in_turn(self._settings.by_now("bot_token"))
        for token in tokens[:-1]:
            response = await self._post(method, values, token, as_form=as_form)
            if not _is_of_the_token(response):
                return _read(response, fine)
        if not tokens:
            raise PermanentError(Reason.CONFIGURATION, "no Slack token is configured")
        return _read(await self._post(method, values, tokens[-1], as_form=as_form), fine)

    async def _post(self, method: str, values: Reply, token: SecretStr, *, as_form: bool) -> httpx.Response:
        if self._client is None:
            raise PermanentError(Reason.CONFIGURATION, "no Slack token is configured")
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        try:
            if as_form:
                return await self._client.post(method, data=values, headers=headers)
            return await self._client.post(method, json=values, headers=headers)
        except _NOT_HANDED_OVER as error:
            raise TransientError(
                Reason.UNREACHABLE, f"Slack is not reached ({type(error).__name__})"
            ) from None
        except httpx.HTTPError as error:
            raise UnknownOutcome(f"no answer from Slack ({type(error).__name__})") from None


def _is_of_the_token(response: httpx.Response) -> bool:
    """Whether another token might be taken."""
    try:
        reply = response.json()
    except ValueError:
        return False
    return isinstance(reply, dict) and reply.get("error") in _TOKEN_REFUSED


def _read(response: httpx.Response, fine: frozenset[str]) -> Reply:
    """The reply of a call that worked, or whose error is `fine`. Slack answers 200 to most of what fails."""
    if response.status_code == _TOO_MANY:
        raise _rate_limited(response)
    if response.status_code >= _SERVER_ERROR:
        raise UnknownOutcome(f"Slack answered {response.status_code}")
    try:
        reply = response.json()
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise PermanentError(
            Reason.MALFORMED, f"what answered {response.status_code} does not speak Slack's language"
        )
    code = reply.get("error")
    if reply.get("ok") is True or code in fine:
        return reply
    raise _failure(code if isinstance(code, str) and _CODE.fullmatch(code) else "unnamed_error", response)


def _failure(code: str, response: httpx.Response) -> TransientError | PermanentError | UnknownOutcome:
    said = f"Slack answered {code}"
    if code in _IN_DOUBT:
        return UnknownOutcome(said)
    if code in _LATER:
        return _rate_limited(response) if "limited" in code else TransientError(Reason.UNREACHABLE, said)
    return PermanentError(Reason.CONFIGURATION if code in _MISCONFIGURED else Reason.REJECTED, said)


def _rate_limited(response: httpx.Response) -> TransientError:
    after_s = parse_retry_after(response.headers.get("retry-after"), clock.now())
    return TransientError(Reason.RATE_LIMITED, "Slack asks to go slower", retry_after_s=after_s or 1.0)
