"""Worlds painted here: dogs on grounds, birds over water or land."""
