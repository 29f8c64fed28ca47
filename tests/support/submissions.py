"""Submissions, and a directory to look their authors up in, for the tests of ingest."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services.ingest.domain.submission import Claim, Submission
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace

RECEIVED_AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
STRANGER = Claim("email", "sam@nowhere.example", "Sam Stranger", verified=True)
COLLEAGUE = Claim("email", "ann@brightline.example", "A. Quote", verified=True)

WORKSPACE = Workspace.model_validate(
    {
        "name": "Brightline",
        "domains": ["brightline.example"],
        "triage_owner": "ann",
        "departments": [
            {"id": "support", "name": "Support", "lens": "consulting_support"},
            {"id": "legal", "name": "Legal", "lens": "finance_legal"},
        ],
        "people": [
            {
                "id": "ann",
                "name": "Ann Quote",
                "department": "support",
                "emails": ["ann@brightline.example", "ann.old@brightline.example"],
                "slack_ids": ["U0ANN"],
            },
            *({"id": f"s{n}", "name": f"Support {n}", "department": "support"} for n in range(4)),
            {"id": "lea", "name": "Lea Law", "department": "legal", "emails": ["lea@brightline.example"]},
        ],
        "products": [
            {
                "id": "portal",
                "name": "Portal",
                "pm": "ann",
                "stages": [
                    {"id": "use", "name": "Using", "touchpoints": [{"id": "invoice", "name": "Invoice"}]}
                ],
            }
        ],
        "webhooks": [
            {
                "id": "survey",
                "source": "acme-survey",
                "verify": {"scheme": "standard-webhooks", "secret": "secret:survey_hook"},
                "map": {"text": "comment", "external_id": "id", "revision": "edited"},
            }
        ],
        "segments": [{"id": "enterprise", "name": "Enterprise"}],
        "personas": [{"id": "buyer", "name": "Buyer"}],
        "accounts": [
            {
                "id": "acme",
                "name": "Acme",
                "domains": ["acme.example"],
                "segment": "enterprise",
                "contacts": [{"email": "carl@acme.example", "name": "Carl Contact", "persona": "buyer"}],
            }
        ],
    }
)
DIRECTORY = Directory(WORKSPACE, 1)


def submission(**fields: Any) -> Submission:  # noqa: ANN401 - any field may be given
    """A live one from a stranger on a lenient channel."""
    values: dict[str, Any] = {
        "channel": "mail",
        "source": "feedback@brightline.example",
        "reported_by": STRANGER,
        "text": "The invoice shows the wrong VAT number.",
    }
    return Submission(**(values | fields))


def screenshot(*, author: str = "", size: tuple[int, int] = (8, 6)) -> bytes:
    """A PNG, with its author written into it the way editors do."""
    info = PngInfo()
    if author:
        info.add_text("Author", author)
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def photo(*, artist: str = "") -> bytes:
    """A JPEG with EXIF data, lying on its side."""
    exif = Image.Exif()
    exif[0x013B] = artist
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (8, 4), (20, 90, 60)).save(out, "JPEG", exif=exif, comment=artist.encode())
    return out.getvalue()
