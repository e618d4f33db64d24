"""What a task waits for without holding a worker slot."""
