"""One book of several asset classes: calendars, carry, units, group risk budgets, several tournaments at once."""
