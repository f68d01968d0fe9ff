"""Django's name for this app."""

from django.apps import AppConfig


class HostingConfig(AppConfig):
    """Model files that the platform runs for their contributors."""

    name = "regatta.hosting"
    label = "hosting"
