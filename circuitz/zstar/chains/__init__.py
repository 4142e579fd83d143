"""Chains of proposals, each accepted or rejected by J: the search by the posterior people made."""
