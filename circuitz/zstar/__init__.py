"""The search for z*: weights and annotations together."""
