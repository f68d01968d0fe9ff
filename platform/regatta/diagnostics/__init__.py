"""What a model's predictions of the validation eras are worth, before they meet a live round."""
