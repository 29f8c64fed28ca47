"""Every metric of every service, by name, with what it means. Labels come from closed sets only."""

from __future__ import annotations

from typing import TypeAlias

from prometheus_client import Counter, Gauge, Histogram

Metric: TypeAlias = Counter | Gauge | Histogram

#: What a request at a door may take; the objectives have their bounds among them.
_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAY_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)

BUILD = Gauge("listeningpost_build_info", "1: the release that runs", ["service", "version"])
READY = Gauge("listeningpost_ready", "1: /readyz says yes")
HTTP_REQUEST_SECONDS = Histogram(
    "listeningpost_http_request_seconds",
    "From the first byte of a request to the last of its answer",
    ["route", "status"],
    buckets=_REQUEST_S,
)
HTTP_IN_FLIGHT = Gauge("listeningpost_http_requests_in_flight", "Requests that are being answered")
LOOP_DELAY_SECONDS = Histogram(
    "listeningpost_event_loop_delay_seconds",
    "How late the event loop is for what is due, tried twice a second",
    buckets=_DELAY_S,
)

EVENTS_PUBLISHED = Counter("listeningpost_events_published_total", "Events acknowledged by Kafka", ["topic"])
ITEMS = Counter("listeningpost_items_total", "Items that ended, by outcome", ["topic", "outcome", "reason"])
BATCH_SECONDS = Histogram("listeningpost_batch_seconds", "Handling one batch", ["topic"], buckets=_LATENCY_S)
BATCHES_NACKED = Counter("listeningpost_batches_nacked_total", "Batches given back", ["topic", "reason"])
CONSUMER_STOPPED = Gauge(
    "listeningpost_consumer_stopped", "1: too many dead letters, waits for a human", ["topic"]
)
CONSUMER_LAG = Gauge(
    "listeningpost_consumer_lag_records",
    "Records that a group has not committed; every replica of whoever publishes says it",
    ["topic", "group", "partition"],
)
OLDEST_UNREAD_SECONDS = Gauge(
    "listeningpost_consumer_oldest_unread_seconds",
    "Age of the oldest of them; 0 while it is younger than the time between two looks",
    ["topic", "group"],
)
TOPIC_RETENTION_SECONDS = Gauge(
    "listeningpost_topic_retention_seconds", "How long Kafka keeps what nobody has read", ["topic"]
)
DISK_USED = Gauge(
    "listeningpost_disk_used_ratio", "Share of the disk in use, of all that is on it", ["volume"]
)

RECEIVED = Counter("listeningpost_received_total", "Pieces at the doors", ["channel", "status", "reason"])
LAST_HEARD = Gauge(
    "listeningpost_last_heard_timestamp_seconds", "When a piece was last kept, since 1970", ["channel"]
)
SOURCE_SILENT_SECONDS = Gauge(
    "listeningpost_source_silent_seconds", "Since when nothing has come from it", ["channel", "source"]
)
SOURCE_SILENCE_LIMIT_SECONDS = Gauge(
    "listeningpost_source_silence_limit_seconds",
    "How long that is nothing unusual at this hour of the week: learned",
    ["channel", "source"],
)
SPOOL_RECORDS = Gauge("listeningpost_spool_records", "Pieces in the spool, waiting for Kafka or MongoDB")
SPOOL_BYTES = Gauge("listeningpost_spool_bytes", "Bytes in the spool")
SPOOL_QUOTA_BYTES = Gauge("listeningpost_spool_quota_bytes", "Bytes the spool may have")
SPOOL_DAMAGED = Counter("listeningpost_spool_set_aside_total", "Spool records that could not be drained")
SPOOL_OLDEST_SECONDS = Gauge("listeningpost_spool_oldest_seconds", "Age of the oldest piece in the spool")
QUARANTINED = Counter("listeningpost_quarantined_total", "Messages put aside", ["channel", "reason"])
EXPIRED = Counter("listeningpost_expired_total", "What was kept long enough and went", ["kind"])
ERASED_THINGS = Counter(
    "listeningpost_erased_total", "What went because somebody asked to be forgotten", ["kind"]
)

API_REQUESTS = Counter("listeningpost_api_requests_total", "Requests to the console", ["outcome", "reason"])

ENGINE = Gauge("listeningpost_engine_info", "1: the model that tags", ["version"])
CLASSIFIED = Counter("listeningpost_classified_total", "Pieces classified", ["cause", "triage"])
STORED_SECONDS = Histogram(
    "listeningpost_stored_after_seconds",
    "From accepted to stored and published",
    ["mode"],
    buckets=_LATENCY_S,
)

DIRECTORY_VERSION = Gauge(
    "listeningpost_directory_version", "Number of the directory's version this process works with"
)

DELIVERIES = Counter("listeningpost_deliveries_total", "Deliveries that ended", ["receiver", "state"])
DELIVERY_ATTEMPTS = Counter("listeningpost_delivery_attempts_total", "Attempts", ["receiver", "outcome"])
DELIVERIES_DUE = Gauge("listeningpost_deliveries_due", "Deliveries that wait to be sent")
DELIVERIES_HELD = Gauge(
    "listeningpost_deliveries_held", "Deliveries held since a restore, until somebody decides"
)
DELIVERY_OLDEST_SECONDS = Gauge(
    "listeningpost_delivery_oldest_seconds", "How overdue the oldest waiting delivery is"
)
OLDEST_UNDELIVERED_SECONDS = Gauge(
    "listeningpost_oldest_undelivered_seconds",
    "Since when the oldest delivery that is not through has been planned",
    ["urgent"],
)
DELIVERED_SECONDS = Histogram(
    "listeningpost_delivered_after_seconds",
    "From accepted to delivered",
    ["receiver", "purpose", "urgent"],
    buckets=_LATENCY_S,
)

#: Who has which, for docs/metrics.md; each stands in one group (tested).
GROUPS: dict[str, tuple[Metric, ...]] = {
    "Every service": (
        BUILD,
        READY,
        HTTP_REQUEST_SECONDS,
        HTTP_IN_FLIGHT,
        LOOP_DELAY_SECONDS,
        DIRECTORY_VERSION,
    ),
    "Whoever reads or writes Kafka": (
        EVENTS_PUBLISHED,
        ITEMS,
        BATCH_SECONDS,
        BATCHES_NACKED,
        CONSUMER_STOPPED,
        CONSUMER_LAG,
        OLDEST_UNREAD_SECONDS,
        TOPIC_RETENTION_SECONDS,
    ),
    "Whoever keeps things": (DISK_USED, EXPIRED, ERASED_THINGS),
    "Ingest": (
        RECEIVED,
        LAST_HEARD,
        SOURCE_SILENT_SECONDS,
        SOURCE_SILENCE_LIMIT_SECONDS,
        QUARANTINED,
        SPOOL_RECORDS,
        SPOOL_BYTES,
        SPOOL_QUOTA_BYTES,
        SPOOL_OLDEST_SECONDS,
        SPOOL_DAMAGED,
    ),
    "Classifier": (ENGINE, CLASSIFIED, STORED_SECONDS),
    "Notifier": (
        DELIVERIES,
        DELIVERY_ATTEMPTS,
        DELIVERIES_DUE,
        DELIVERIES_HELD,
        DELIVERY_OLDEST_SECONDS,
        OLDEST_UNDELIVERED_SECONDS,
        DELIVERED_SECONDS,
    ),
    "Console": (API_REQUESTS,),
}
