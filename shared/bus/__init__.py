"""Kafka: the only folder that knows FastStream and aiokafka, beside the services' `app.py`."""
