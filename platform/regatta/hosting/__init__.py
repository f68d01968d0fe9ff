"""Hosted models: files that a contributor hands in once and the platform runs every round, in a sandbox."""
