"""`python -m services.console`."""

from __future__ import annotations

import gc

# What is imported stays. To look for cycles in it again and again meanwhile took a fifth of the time.
gc.disable()

from services.console.app import create_app  # noqa: E402 - see above
from services.console.settings import ConsoleSettings  # noqa: E402 - see above
from shared.service import run  # noqa: E402 - see above

if __name__ == "__main__":
    run(create_app, ConsoleSettings)
