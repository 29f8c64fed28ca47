"""Writes `.env.example`: every setting with its meaning and default. `python -m deploy.config.env_example`.

All of it is commented out, so that a copy of the file changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from deploy.config.reference import Group, Setting, groups

#: How a secret is made that we make ourselves; the others come from a provider, as their description says.
_MADE_BY = {
    "LISTENINGPOST_CONTRIBUTORS_KEY": "openssl rand -base64 32 | tr '+/' '-_'",
    "LISTENINGPOST_INTERNAL_TOKEN": "openssl rand -hex 32",
}
#: What docker-compose.yml sets unless .env does (the first three), or whatever .env says.
_SET_BY_COMPOSE = {
    "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
    "LISTENINGPOST_MONGO__URI": "mongodb://listeningpost@mongo:27017/?replicaSet=listeningpost",
    "LISTENINGPOST_CONSOLE_URL": "where the console's port is published, unless set here",
    "LISTENINGPOST_SECRETS_DIR": "/run/listeningpost/secrets, a volume; `keys` makes what is in it",
    "LISTENINGPOST_HTTP__HOST": "0.0.0.0, inside the container",
    "LISTENINGPOST_HTTP__PORT": "8080, inside the container",
    "LISTENINGPOST_LOG__FORMAT": "json",
    "LISTENINGPOST_INGEST__MAIL__HOST": "0.0.0.0, inside the container",
    "LISTENINGPOST_INGEST__SPOOL__DIRECTORY": "a volume at the default",
    "LISTENINGPOST_CLI__INGEST_URL": "http://ingest:8080",
    "LISTENINGPOST_CLI__CLASSIFIER_URL": "http://classifier:8080",
    "LISTENINGPOST_CLI__NOTIFIER_URL": "http://notifier:8080",
    "LISTENINGPOST_CLI__CONSOLE_URL": "http://console:8080",
}
_NEEDS_QUOTES = frozenset(" #\"'$<>[]{}")

_HEAD = """\
# Every setting, with its default. Copy this file to .env, and change what you like: `docker compose` reads
# .env, and a service that is started by hand reads its environment.
# An empty value counts as not set. One with a blank, # or $ in it, and all JSON, goes between single quotes.
# Written by `python -m deploy.config.env_example`; a test compares it with the settings.
"""

#: Read by docker-compose.yml alone: a service would refuse a LISTENINGPOST_ variable it does not know.
_COMPOSE = """\
# ---- docker compose: what it publishes, and which images it takes ----

# the address the doors are published at; 0.0.0.0 opens them to the network: put TLS in front of them
#PUBLISH_ADDRESS=127.0.0.1
# the port of POST /v1/feedback and of Slack's events
#PUBLISH_HTTP=8080
# the port of inbound mail; the door itself opens with LISTENINGPOST_INGEST__MAIL__PORT=2525 and a mailbox
#PUBLISH_SMTP=2525
# the port of the console, where programs change customer accounts: /v1/accounts
#PUBLISH_CONSOLE=8081
# the ports of Prometheus and Grafana, with `--profile observability`: who reaches them sees what is measured
#PUBLISH_PROMETHEUS=9090
#PUBLISH_GRAFANA=3000
# the tag of our images: those that are built here, or those of your own registry
#IMAGE_TAG=0.1.0
# what is put before their names, a registry's for example
#IMAGE_PREFIX=listeningpost-
# the image ours are built from; any with Python 3.11
#PYTHON_IMAGE=python:3.11.15-slim-bookworm
"""


def render() -> str:
    """The whole file."""
    parts = [_HEAD, _COMPOSE, *(_group(group) for group in groups())]
    return "\n".join(parts)


def _group(group: Group) -> str:
    lines = [f"# ---- {group.reader}: {group.prefix}… ----"]
    if group.intro:
        lines.append(f"# {group.intro}")
    for setting in group.settings:
        lines += ["", *_entry(setting)]
    return "\n".join(lines) + "\n"


def _entry(setting: Setting) -> Iterator[str]:
    yield f"# {setting.description}" + (f" ({setting.values})" if setting.values else "")
    if setting.variable in _MADE_BY:
        yield f"# Make one with: {_MADE_BY[setting.variable]}"
    if setting.variable in _SET_BY_COMPOSE:
        yield f"# docker compose: {_SET_BY_COMPOSE[setting.variable]}"
    yield f"#{setting.variable}={_quoted(setting.default)}"


def _quoted(value: str) -> str:
    return f"'{value}'" if _NEEDS_QUOTES & set(value) else value


if __name__ == "__main__":
    sys.stdout.write(render())
