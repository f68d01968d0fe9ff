"""The neural families: the only rooms of the tournament that load torch."""
