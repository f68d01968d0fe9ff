"""From the meta-model to a book: risk, one convex rebalance, accounting and the tear sheet."""
