"""Addresses of the REST API."""

from django.urls import path

from regatta.api import accounts, points, submissions, tournaments, webhooks

urlpatterns = [
    path("accounts/", accounts.sign_up),
    path("keys/", accounts.issue_key),
    path("tournaments/", tournaments.index),
    path("tournaments/<slug:slug>/", tournaments.detail),
    path("tournaments/<slug:slug>/rounds/", tournaments.rounds),
    path("tournaments/<slug:slug>/files/<str:name>", tournaments.file, name="file"),
    path("tournaments/<slug:slug>/leaderboard/", tournaments.leaderboard),
    path("models/", submissions.create_model),
    path("models/<str:name>/scores/", submissions.scores),
    path("models/<str:name>/stake/", points.stake),
    path("models/<str:name>/experimental/", submissions.experimental),
    path("submissions/", submissions.submit),
    path("submissions/<int:pk>/", submissions.detail),
    path("webhooks/", webhooks.index),
    path("webhooks/<int:pk>/", webhooks.detail),
    path("webhooks/<int:pk>/deliveries/", webhooks.deliveries),
    path("deliveries/<int:pk>/replay/", webhooks.send_again),
]
