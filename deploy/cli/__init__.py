"""The `listeningpost` command."""
