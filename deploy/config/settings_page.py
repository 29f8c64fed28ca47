"""Writes `docs/settings.md`: the settings as tables. `python -m deploy.config.settings_page`."""

from __future__ import annotations

import sys
from itertools import groupby

from deploy.config.reference import Group, Setting, groups

_HEAD = """\
# Settings

A setting is an environment variable. A service reads them once, when it starts; a name it does not know or a
value that does not fit stops it with one line that names the variable and never its value.

- `__` leads into a section: `LISTENINGPOST_INGEST__MAIL__PORT`. Upper and lower case are the same.
- Lists and maps are JSON. An empty value counts as not set.
- Variables of the other services are no error, so that all of them can share one environment.
- *Secret* ones never appear in a log, an error or `/readyz`.
- With `docker compose` they go into `.env` ([operations](operations.md));
  [`.env.example`](../.env.example) lists all of them with their defaults.

This page is written by `python -m deploy.config.settings_page`, from the classes the services read them with.
"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    for reader, own in groupby(groups(), key=lambda group: group.reader):
        parts.append(f"## {reader}\n")
        parts += [_group(group) for group in own]
    return "\n".join(parts)


def _group(group: Group) -> str:
    lines = [f"### `{group.prefix}…`", ""]
    if group.intro:
        lines += [group.intro, ""]
    lines += ["| variable | default | meaning |", "|---|---|---|"]
    lines += [_row(group, setting) for setting in group.settings]
    return "\n".join(lines) + "\n"


def _row(group: Group, setting: Setting) -> str:
    name = setting.variable.removeprefix(group.prefix)
    default = f"`{setting.default}`" if setting.default else ""
    remarks = [remark for remark in (setting.values, "secret" if setting.secret else "") if remark]
    meaning = setting.description + (f" *({'; '.join(remarks)})*" if remarks else "")
    return f"| `…{name}` | {_cell(default)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
