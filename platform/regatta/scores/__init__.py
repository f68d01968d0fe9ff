"""What each submission was worth."""
