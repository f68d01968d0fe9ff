"""Django's name for the demonstration."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Only management commands; no rows of its own."""

    name = "demo"
