"""Throughput and latency, measured: `make bench` or `python -m tests.load --help`."""
