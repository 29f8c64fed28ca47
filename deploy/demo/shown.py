"""What is sent to people from a house on this machine, as lines on the screen: to whom, what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from rich.console import Console
from rich.text import Text

from deploy.demo.sinks.mail import Mail
from deploy.demo.sinks.slack import Post
from deploy.demo.sinks.webhook import Call
from shared.domain.workspace import Workspace

#: How a notice introduces its reasons, in mail and in Slack.
WHY = "Why you get this:"


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail, Slack message or webhook call. `why` is empty for the answer to whoever spoke."""

    by: str
    to: str
    said: str
    why: tuple[str, ...] = ()


class Screen:
    """Shows what is sent, once `on`. `called` has people's names by the Slack id they are known by."""

    def __init__(self, console: Console, *, on: bool) -> None:
        self._console = console
        self.on = on
        self.called: Mapping[str, str] = {}

    def mail(self, mail: Mail) -> None:
        self._show(Sent("mail", mail.recipient, mail.subject, _reasons_of_mail(mail.words)))

    def post(self, post: Post) -> None:
        self._show(sent_post(post, self.called))

    def call(self, call: Call) -> None:
        self._show(sent_call(call))

    def _show(self, sent: Sent) -> None:
        if not self.on:
            return
        line = Text(f"→ {sent.by:<8} {sent.to}: ", style="cyan").append(_one_line(sent.said), style="default")
        self._console.print(line, soft_wrap=True)
        if sent.why:
            self._console.print(
                Text(f"           why: {_one_line(' · '.join(sent.why))}", style="dim"), soft_wrap=True
            )


def names_of(workspace: Workspace) -> Mapping[str, str]:
    """Who is meant by a Slack id."""
    return {slack_id: person.name for person in workspace.people for slack_id in person.slack_ids}


def sent_post(post: Post, called: Mapping[str, str]) -> Sent:
    """`post` as it is now: an edit and a deletion are shown as what they are."""
    channel = str(post.content.get("channel", post.channel))
    # In a person's own conversation the id has another first letter: D for U.
    person = called.get(channel) or called.get(f"U{channel[1:]}") or called.get(f"W{channel[1:]}")
    to = f"{person or channel}{', in the thread' if post.thread else ''}"
    said = str(post.content.get("text", ""))
    if post.deleted:
        return Sent("Slack", to, "(taken back)")
    return Sent("Slack", to, f"{'(changed) ' * bool(post.edits)}{said}", _reasons_of_post(post))


def sent_call(call: Call) -> Sent:
    """`call` in the words of its frame: what it is, and the headline of the piece."""
    frame = call.body if isinstance(call.body, dict) else {}
    data = frame.get("data")
    told = data if isinstance(data, dict) else {}
    said = f"{frame.get('type', 'a call')} {told.get('headline', '')}".strip()
    return Sent("webhook", "crm", said, tuple(str(why).replace("*", "") for why in told.get("why", ())))


def _reasons_of_mail(words: str) -> tuple[str, ...]:
    """From the plain text, where each reason has a line of its own."""
    lines = words.splitlines()
    after = lines[lines.index(WHY) + 1 :] if WHY in lines else []
    reasons = takewhile(lambda line: line.startswith("- "), after)
    return tuple(line.removeprefix("- ").replace("*", "") for line in reasons)


def _reasons_of_post(post: Post) -> tuple[str, ...]:
    for block in post.content.get("blocks") or ():
        for element in block.get("elements", ()):
            text = str(element.get("text", ""))
            if text.startswith(WHY):
                return tuple(text.removeprefix(WHY).strip().replace("*", "").split(" · "))
    return ()


def _one_line(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(char if char.isprintable() else "·" for char in " ".join(text.split()))
