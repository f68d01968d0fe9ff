"""What weather the market is in, told from what was known at the time."""
