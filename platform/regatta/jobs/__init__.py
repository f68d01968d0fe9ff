"""Work to be done: rows that promise, whatever the queue does."""
