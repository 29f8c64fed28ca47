"""What runs in containers beside the services: the check of their health, the preparation of the servers."""
