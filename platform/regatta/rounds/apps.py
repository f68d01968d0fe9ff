"""Django's name for this app."""

from django.apps import AppConfig


class RoundsConfig(AppConfig):
    """Tournaments, their datasets and their rounds."""

    name = "regatta.rounds"
    label = "rounds"
