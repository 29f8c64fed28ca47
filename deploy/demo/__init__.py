"""The demo: a day of feedback through every door, real servers at every end, and what came of it."""
