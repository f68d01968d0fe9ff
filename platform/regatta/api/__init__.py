"""The REST API: thin, one file per resource."""
