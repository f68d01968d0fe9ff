"""What contributors are told: in their inbox, by mail, and by webhooks of their own."""
