"""Django's name for this app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What contributors are told: in their inbox, by mail, and by webhooks of their own."""

    name = "regatta.notifications"
    label = "notifications"
