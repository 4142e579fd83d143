"""What a rater is shown of z, and how raters answer. No torch."""
