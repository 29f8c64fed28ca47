"""What programs may ask of the console, with an API key."""
