"""Who takes part: contributors and their API keys."""
