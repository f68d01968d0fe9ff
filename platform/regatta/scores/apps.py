"""Django's name for this app."""

from django.apps import AppConfig


class ScoresConfig(AppConfig):
    """What each submission was worth."""

    name = "regatta.scores"
    label = "scores"
