"""Real servers for the tests, and how to wait for them."""
