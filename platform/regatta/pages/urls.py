"""Addresses of the pages."""

from django.urls import path

from regatta.pages import account, board, book, contributed, guide, home, meta, rounds, state, submit, tournaments

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", guide.favicon),
    path("robots.txt", guide.robots),
    path("tournaments/", tournaments.index, name="tournaments"),
    path("tournaments/<slug:slug>/", tournaments.tournament, name="tournament"),
    path("tournaments/<slug:slug>/data/", tournaments.data, name="data"),
    path("tournaments/<slug:slug>/leaderboard/", board.leaderboard, name="leaderboard"),
    path("tournaments/<slug:slug>/leaderboard.csv", board.leaderboard_csv, name="leaderboard_csv"),
    path("tournaments/<slug:slug>/leaderboard.json", board.leaderboard_json, name="leaderboard_json"),
    path("models/<str:name>/", contributed.model, name="model"),
    path("models/<str:name>/scores.csv", contributed.model_file, name="model_file"),
    path("rounds/<int:number>/", rounds.round_page, name="round"),
    path("rounds/<int:number>/scores.csv", rounds.round_file, name="round_file"),
    path("submit/", submit.submit, name="submit"),
    path("submissions/<int:pk>/", submit.submission, name="submission"),
    path("accounts/", account.account, name="account"),
    path("accounts/models/", account.open_model, name="open_model"),
    path("accounts/models/<str:name>/stake/", account.move_stake, name="move_stake"),
    path("meta-model/", meta.meta_model, name="meta_model"),
    path("meta-model/weights.csv", meta.weights_file, name="weights_file"),
    path("portfolio/", book.portfolio, name="portfolio"),
    path("portfolio/nav.csv", book.nav_file, name="nav_file"),
    path("portfolio/holdings.csv", book.holdings_file, name="holdings_file"),
    path("portfolio/trades.csv", book.trades_file, name="trades_file"),
    path("status/", state.status, name="status"),
    path("docs/", guide.docs, name="docs"),
    path("docs/<slug:page>/", guide.docs, name="docs_page"),
]
