"""Everything on this machine with no server installed: a database and a broker as child processes."""
