"""Architectures by name, and training them."""
