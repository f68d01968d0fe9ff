"""The demonstration's contributors: strangers who know Regatta only through its HTTP API and its files."""
