"""Variables of the environment: how they are read, and what is said of one that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from shared.errors import ConfigurationError

PREFIX = "LISTENINGPOST_"
#: Sections of others (services, command line, tests): legal in a shared environment, read by their owners.
_SECTIONS_ELSEWHERE = ("INGEST", "CLASSIFIER", "NOTIFIER", "CONSOLE", "CLI", "EMBEDDED", "TEST")
#: Read by `shared/telemetry/failpoints.py` alone.
_STANDALONE = ("FAILPOINT",)


def in_files(fields: Collection[str], folder: str | None, rotated: Collection[str]) -> dict[str, str]:
    """By its variable, what a file of the secrets folder says of a setting; the other files are secrets.

    Of one that is `rotated` it is the first line. Raises ConfigurationError.
    """
    if folder is None or not Path(folder).is_dir():
        return {}
    files = [file for file in Path(folder).iterdir() if file.name.partition("__")[0] in fields]
    try:
        said = {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{PREFIX}SECRETS_DIR: a file in it cannot be read ({type(error).__name__})"
        raise ConfigurationError(msg) from None
    return {
        PREFIX + name.upper(): text.partition("\n")[0].strip() if name in rotated else text
        for name, text in said.items()
    }


class EnvironmentSource(EnvSettingsSource):
    """Leaves what is no JSON as it is, so that the fault found in it names the whole variable."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 - inherited
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


#: By pydantic's type of error, where its own words mean little to somebody who wrote a variable.
_SAID = {
    "tuple_type": "should be a JSON list",
    "list_type": "should be a JSON list",
    "dict_type": "should be a JSON object",
    "model_type": "should be a JSON object",
    "extra_forbidden": "is not a setting",
}


def fault(each: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a plain dict
    """Which variable is at fault and why, never its value; `each` is pydantic's."""
    variable = PREFIX + "__".join(str(part).upper() for part in each["loc"])
    return f"{variable}: {_SAID.get(each['type'], each['msg'])}"


def unknown_variables(known: list[str], environ: Mapping[str, str]) -> list[str]:
    """One sentence for each of ours that is not one; `known` are the sections, in upper case."""
    faults = []
    for variable in environ:
        if not variable.upper().startswith(PREFIX):
            continue
        section = variable.upper().removeprefix(PREFIX).partition("__")[0]
        if (
            section in known
            or section in _SECTIONS_ELSEWHERE
            or section in _STANDALONE
            or section.startswith("TEST_")
        ):
            continue
        near = difflib.get_close_matches(section, [*known, *_SECTIONS_ELSEWHERE], n=1)
        faults.append(
            f"{variable} is not a setting" + (f"; did you mean {PREFIX}{near[0]}…?" if near else "")
        )
    return faults
