"""The connection that wakes the embedded server."""

from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import OperationalError
from psycopg import OperationalError as NoAnswer

from regatta import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects as ever; a refused connection first starts the server under var/ and then tries once more."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new connection, after a start of the server where it was down.

        Raises:
            OperationalError: the server runs and refuses.
        """
        try:
            return super().get_new_connection(conn_params)
        except (NoAnswer, OperationalError):
            embedded.ensure_postgres()
            return super().get_new_connection(conn_params)
