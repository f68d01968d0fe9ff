"""Django's name for the site itself: its management commands and its checks."""

from django.apps import AppConfig


class RegattaConfig(AppConfig):
    """The site."""

    name = "regatta"

    def ready(self) -> None:
        """Register the checks of our own settings."""
        from regatta import checks  # noqa: F401
