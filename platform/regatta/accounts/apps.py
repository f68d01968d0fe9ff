"""Django's name for this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who takes part: contributors and their API keys."""

    name = "regatta.accounts"
    label = "accounts"
