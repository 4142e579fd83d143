"""Texts and token sequences, and the small transformers that are trained on them."""
