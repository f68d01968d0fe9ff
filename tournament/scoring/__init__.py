"""What predictions are worth: ranks, scores of whole panels, blends, reputation and payout."""
