"""Every metric of every service, by name, with what it means. Labels come from closed sets only."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)

EVENTS_PUBLISHED = Counter("listeningpost_events_published_total", "Events acknowledged by Kafka", ["topic"])
ITEMS = Counter("listeningpost_items_total", "Items that ended, by outcome", ["topic", "outcome", "reason"])
BATCH_SECONDS = Histogram("listeningpost_batch_seconds", "Handling one batch", ["topic"], buckets=_LATENCY_S)
BATCHES_NACKED = Counter("listeningpost_batches_nacked_total", "Batches given back", ["topic", "reason"])
CONSUMER_STOPPED = Gauge(
    "listeningpost_consumer_stopped", "1: too many dead letters, waits for a human", ["topic"]
)

RECEIVED = Counter("listeningpost_received_total", "Pieces at the doors", ["channel", "status", "reason"])
LAST_HEARD = Gauge(
    "listeningpost_last_heard_timestamp_seconds", "When a piece was last kept, since 1970", ["channel"]
)
SPOOL_RECORDS = Gauge("listeningpost_spool_records", "Pieces in the spool, waiting for Kafka or MongoDB")
SPOOL_BYTES = Gauge("listeningpost_spool_bytes", "Bytes in the spool")
SPOOL_DAMAGED = Counter("listeningpost_spool_set_aside_total", "Spool records that could not be drained")
SPOOL_OLDEST_SECONDS = Gauge("listeningpost_spool_oldest_seconds", "Age of the oldest piece in the spool")
QUARANTINED = Counter("listeningpost_quarantined_total", "Messages put aside", ["channel", "reason"])
EXPIRED = Counter("listeningpost_expired_total", "What was kept long enough and went", ["kind"])
ERASED_THINGS = Counter(
    "listeningpost_erased_total", "What went because somebody asked to be forgotten", ["kind"]
)

API_REQUESTS = Counter("listeningpost_api_requests_total", "Requests to the console", ["outcome", "reason"])

CLASSIFIED = Counter("listeningpost_classified_total", "Pieces classified", ["cause", "triage"])
END_TO_END_SECONDS = Histogram(
    "listeningpost_stored_after_seconds", "From received to stored", ["topic"], buckets=_LATENCY_S
)

DIRECTORY_VERSION = Gauge(
    "listeningpost_directory_version", "Number of the directory's version this process works with"
)

DELIVERIES = Counter("listeningpost_deliveries_total", "Deliveries that ended", ["receiver", "state"])
DELIVERY_ATTEMPTS = Counter("listeningpost_delivery_attempts_total", "Attempts", ["receiver", "outcome"])
DELIVERIES_DUE = Gauge("listeningpost_deliveries_due", "Deliveries that wait to be sent")
DELIVERY_OLDEST_SECONDS = Gauge(
    "listeningpost_delivery_oldest_seconds", "How overdue the oldest waiting delivery is"
)
DELIVERED_SECONDS = Histogram(
    "listeningpost_delivered_after_seconds", "From received to delivered", ["receiver"], buckets=_LATENCY_S
)
