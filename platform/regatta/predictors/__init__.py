"""The platform's own models: trained on queue `gpu`, fine-tuned and submitted at each opening."""
