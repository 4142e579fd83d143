"""The husky story from start to end."""
