"""Allocation and selection as an environment, and what learns in it beside the convex allocator."""
