"""Django's name for this app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders out."""

    name = "regatta.orders"
    label = "orders"
