"""`python -m services.classifier`."""

from __future__ import annotations

from services.classifier.app import create_app
from services.classifier.settings import ClassifierSettings
from shared.service import run

if __name__ == "__main__":
    run(create_app, ClassifierSettings)
