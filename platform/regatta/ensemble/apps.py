"""Django's name for this app."""

from django.apps import AppConfig


class EnsembleConfig(AppConfig):
    """Selectors, their weights and the meta-model."""

    name = "regatta.ensemble"
    label = "ensemble"
