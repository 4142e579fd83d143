"""Edits of training images that take a concept's news away, and where concepts lie in them."""
