"""Addresses of the REST API."""

from regatta.api.v1.site import addresses

urlpatterns = addresses()
