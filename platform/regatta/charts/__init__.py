"""Charts as SVG drawn on the server: they need no script, follow the colour scheme, and say exact values on hover."""
