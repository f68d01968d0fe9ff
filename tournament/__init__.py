"""The rules and the arithmetic of the tournament: arrays in, arrays out."""
