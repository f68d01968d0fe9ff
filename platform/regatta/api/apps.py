"""Django's name for this app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST API: thin, one file per resource."""

    name = "regatta.api"
    label = "api"
