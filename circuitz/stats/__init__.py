"""Numbers, tests and intervals: what every room computes alike. No torch, and nothing of z."""
