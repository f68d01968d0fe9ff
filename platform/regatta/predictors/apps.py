"""Django's name for this app."""

from django.apps import AppConfig


class PredictorsConfig(AppConfig):
    """The platform's own models of the features."""

    name = "regatta.predictors"
    label = "predictors"
