"""Uploads in three steps: an address that is signed, a file that is put there, and its use."""
