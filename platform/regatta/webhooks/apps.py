"""Django's name for this app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Webhooks: signed messages to addresses that contributors name."""

    name = "regatta.webhooks"
    label = "webhooks"
