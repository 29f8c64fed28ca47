"""`python -m services.ingest`."""

from __future__ import annotations

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.service import run

if __name__ == "__main__":
    run(create_app, IngestSettings)
