"""What a hosted model may be: files of numbers that are checked to the last one, never files that run code."""
