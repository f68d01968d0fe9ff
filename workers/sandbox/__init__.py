"""Contributed model files run here and nowhere else: a child process that can only think and answer."""
