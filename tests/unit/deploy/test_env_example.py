"""`.env.example` and `docs/settings.md` say what the classes say, and have all that compose asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.cli.settings import CliSettings
from deploy.config import env_example, settings_page
from deploy.config.reference import Setting, groups
from services.classifier.settings import ClassifierSettings
from services.console.settings import ConsoleSettings
from services.ingest.settings import IngestSettings
from services.notifier.settings import NotifierSettings
from shared.settings import CommonSettings, load

_ROOT = Path(__file__).parents[3]
_FILE = (_ROOT / ".env.example").read_text(encoding="utf-8")
_READERS: tuple[type[CommonSettings], ...] = (
    IngestSettings,
    ClassifierSettings,
    NotifierSettings,
    ConsoleSettings,
    CliSettings,
)
SETTINGS = [setting for group in groups() for setting in group.settings]

each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)


def test_the_file_is_that_of_the_settings() -> None:
    assert env_example.render() == _FILE, "write it anew: python -m deploy.config.env_example > .env.example"


def test_so_is_the_page() -> None:
    page = (_ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_page.render() == page, (
        "write it anew: python -m deploy.config.settings_page > docs/settings.md"
    )


@each_setting
def test_a_setting_stands_there_once_and_says_what_it_is_for(setting: Setting) -> None:
    assert len(re.findall(rf"^#?{re.escape(setting.variable)}=", _FILE, re.MULTILINE)) == 1
    assert setting.description


@each_setting
def test_its_default_is_the_default(setting: Setting) -> None:
    """Whoever takes the comment sign away changes nothing."""
    reader = next(cls for cls in _READERS if _reads(cls, setting))
    assert load(reader, {setting.variable: setting.default}) == load(reader, {})


def _reads(cls: type[CommonSettings], setting: Setting) -> bool:
    section = setting.variable.removeprefix("LISTENINGPOST_").partition("__")[0]
    return section.lower() in cls.model_fields


def test_a_copy_of_the_file_sets_nothing() -> None:
    variables = dict(re.findall(r"^([A-Z_]+)=(.*)$", _FILE, re.MULTILINE))
    assert variables == {}
    for reader in _READERS:
        assert load(reader, variables) == load(reader, {})


def test_secrets_are_empty() -> None:
    secret = [setting for setting in SETTINGS if setting.secret]
    assert len(secret) > 5
    without_a_server = [setting for setting in secret if not setting.variable.endswith("MONGO__URI")]
    assert not any(setting.default for setting in without_a_server)


def test_how_a_key_is_made_stands_above_it() -> None:
    lines = _FILE.splitlines()
    above = lines[lines.index("#LISTENINGPOST_CONTRIBUTORS_KEY=") - 1]
    assert above == "# Make one with: openssl rand -base64 32 | tr '+/' '-_'"


def test_it_has_all_that_compose_asks_for() -> None:
    compose = (_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for variable in set(re.findall(r"\$\{([A-Z_]+)", compose)):
        assert re.search(rf"^#?{variable}=", _FILE, re.MULTILINE), variable


def test_it_says_of_what_compose_sets_itself_that_it_does() -> None:
    compose = (_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    set_there = set(re.findall(r"^ +(LISTENINGPOST_[A-Z_]+):", compose, re.MULTILINE))
    said = set(re.findall(r"^# docker compose: .*\n#?(\w+)=", _FILE, re.MULTILINE))
    assert said == set_there
