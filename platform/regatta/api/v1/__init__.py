"""REST, version 1: a file for each kind of thing."""
