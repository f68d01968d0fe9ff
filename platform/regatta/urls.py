"""The site's addresses."""

from django.contrib import admin
from django.urls import include, path

from regatta import health
from regatta.api import exchange
from regatta.api.numerapi.view import graphql

handler400 = "regatta.api.envelope.bad_request"
handler404 = "regatta.api.envelope.not_found"
handler500 = "regatta.api.envelope.server_error"

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("regatta.accounts.urls")),
    path("graphql/", graphql, name="graphql"),
    path("graphql", graphql),  # without a redirect, which would turn a POST into a GET
    path("uploads/<str:signed>", exchange.put, name="put"),
    path("downloads/<str:signed>", exchange.fetch, name="fetch"),
    path("api/v1/", include("regatta.api.urls")),
    path("", include("regatta.pages.urls")),
]
