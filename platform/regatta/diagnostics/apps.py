"""Django's name for this app."""

from django.apps import AppConfig


class DiagnosticsConfig(AppConfig):
    """What a model's predictions of the validation eras are worth, before they meet a live round."""

    name = "regatta.diagnostics"
    label = "diagnostics"
