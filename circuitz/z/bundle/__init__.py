"""A z on disk: written whole or not at all, read without trusting what was written."""
