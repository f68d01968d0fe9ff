"""Contributed models and what they submit."""
