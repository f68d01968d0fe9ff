"""Simulated tournaments whose truth is known: what selectors are trained on and judged by."""
