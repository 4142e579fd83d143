"""Kinds of findings, one a file; ``kinds`` lists them."""
