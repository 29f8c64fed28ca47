"""`python -m services.notifier`: tells people."""

from __future__ import annotations

from services.notifier.app import create_app
from services.notifier.settings import NotifierSettings
from shared.service import run

if __name__ == "__main__":
    run(create_app, NotifierSettings)
