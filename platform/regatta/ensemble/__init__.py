"""Selectors, their weights and the meta-model."""
