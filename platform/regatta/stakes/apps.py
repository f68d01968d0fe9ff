"""Django's name for this app."""

from django.apps import AppConfig


class StakesConfig(AppConfig):
    """Points, staked and paid, in double entry."""

    name = "regatta.stakes"
    label = "stakes"
