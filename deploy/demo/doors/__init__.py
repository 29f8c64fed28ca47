"""The people and systems that speak: one file a door. All they send goes over a socket, as in life."""
