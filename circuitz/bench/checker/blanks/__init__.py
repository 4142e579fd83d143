"""Networks that know nothing: whatever is said about what makes their classes is false."""
