"""Side-by-side runs that users can repeat: ours, and the tool they would use otherwise."""
