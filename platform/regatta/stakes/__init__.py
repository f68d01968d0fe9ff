"""Points, staked and paid, in double entry."""
