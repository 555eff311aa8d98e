"""Real servers for tests, started by them on private sockets."""
