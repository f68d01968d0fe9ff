"""The client kit: what it says offline is what the server says."""
