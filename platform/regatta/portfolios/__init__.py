"""What the meta-model holds."""
