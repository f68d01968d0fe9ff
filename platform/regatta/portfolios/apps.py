"""Django's name for this app."""

from django.apps import AppConfig


class PortfoliosConfig(AppConfig):
    """What the meta-model holds."""

    name = "regatta.portfolios"
    label = "portfolios"
