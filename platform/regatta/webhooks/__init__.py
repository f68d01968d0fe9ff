"""Webhooks: signed messages to addresses that contributors name."""
