"""Django's name for this app."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    """Uploads in three steps: an address that is signed, a file that is put there, and its use."""

    name = "regatta.uploads"
    label = "uploads"
