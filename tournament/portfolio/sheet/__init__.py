"""The tear sheet: what a book did, what it cost, what it risked, and how sure one can be of any of it."""
