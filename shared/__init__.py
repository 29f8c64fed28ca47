"""What two or more services need: events, domain, bus, store, telemetry."""
