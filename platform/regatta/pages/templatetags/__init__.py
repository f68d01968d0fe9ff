"""How templates write numbers, times and small drawings."""
