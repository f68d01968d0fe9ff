"""From prices to a tournament: quality, features, targets, context and simulated worlds."""
