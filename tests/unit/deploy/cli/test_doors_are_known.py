"""A door that somebody adds is described, and can be tested: one line each."""

from __future__ import annotations

from deploy.cli.senders import SENDERS
from services.ingest.channels import CHANNELS
from services.ingest.doors import DOORS


def test_every_channel_is_described_for_listeningpost_channels() -> None:
    assert set(DOORS) == set(CHANNELS), "one entry a channel in services/ingest/doors.py"


def test_every_channel_has_a_sender_for_listeningpost_selftest() -> None:
    assert set(SENDERS) == set(CHANNELS), "a file in deploy/cli/senders and a line in SENDERS"
