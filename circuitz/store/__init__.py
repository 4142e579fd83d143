"""Judgements on disk: append-only, shared by many writers. No torch."""
