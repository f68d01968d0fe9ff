"""Regatta's client kit: the field's client with this site's address, and the server's own checks on your machine."""

from regatta_client.apis import CryptoAPI, NumerAPI, SignalsAPI

__all__ = ["CryptoAPI", "NumerAPI", "SignalsAPI"]
