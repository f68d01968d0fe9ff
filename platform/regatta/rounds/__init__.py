"""Tournaments, their datasets and their rounds."""
