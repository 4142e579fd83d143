"""The card: what a rater is shown of z, and the answers a rater can give. No torch."""
