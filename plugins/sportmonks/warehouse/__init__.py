"""The warehouse: connections, sessions that survive restarts, SQL by name, migrations."""
