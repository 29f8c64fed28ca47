"""`python -m services.ingest`."""

from __future__ import annotations

import gc

# What is imported stays. To look for cycles in it again and again meanwhile took a fifth of the time.
gc.disable()

from services.ingest.app import create_app  # noqa: E402 - see above
from services.ingest.settings import IngestSettings  # noqa: E402 - see above
from shared.service import run  # noqa: E402 - see above

if __name__ == "__main__":
    run(create_app, IngestSettings)
