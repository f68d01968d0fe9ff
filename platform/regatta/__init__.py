"""The site: rows, files, pages and APIs of the tournament platform."""
