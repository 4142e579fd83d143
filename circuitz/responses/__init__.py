"""What a unit responds to: one pass over the concept set, exemplars, statistics."""
