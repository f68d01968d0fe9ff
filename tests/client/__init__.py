"""The real site, driven by the real client."""
