"""What people may ask of whoever keeps what they said: to see it, and to have it forgotten."""
