"""Django's name for this app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """What people see."""

    name = "regatta.pages"
    label = "pages"
