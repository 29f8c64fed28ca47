"""`python -m services.console`."""

from __future__ import annotations

from services.console.app import create_app
from services.console.settings import ConsoleSettings
from shared.service import run

if __name__ == "__main__":
    run(create_app, ConsoleSettings)
