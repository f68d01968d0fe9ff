"""Orders out: from a book to a file for a broker, and a paper broker that fills from the next bar."""
