"""Django's name for this app."""

from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    """Contributed models and what they submit."""

    name = "regatta.submissions"
    label = "submissions"
