"""Variants of one z, for people to judge before anything is searched."""
