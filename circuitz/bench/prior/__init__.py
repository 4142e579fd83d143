"""Pairs of concept and class that people judged, and how the lexicon judges them."""
