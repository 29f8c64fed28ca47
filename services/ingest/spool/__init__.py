"""The spool: what was accepted while Kafka or MongoDB was away, on disk until they are back.

`frame` (one record in a file) → `segment` (one file) → `shelf` (one replica's directory, locked) → `spool`
(durable appends, oldest first out) → `drain` (into MongoDB and Kafka). `record` says what is in a record.
"""
