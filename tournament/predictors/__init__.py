"""The platform's own models of the features, which adapt to the newest eras. Pure: no Django, no clock."""
