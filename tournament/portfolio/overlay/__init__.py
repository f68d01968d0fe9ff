"""How much of the book is held: controls that adapt to its own risk, and what is learned about their settings."""
