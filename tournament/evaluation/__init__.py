"""How good a selector is, measured forward in time with honest errors."""
