"""What an installation is configured with: the example company, and the reference of all settings."""
