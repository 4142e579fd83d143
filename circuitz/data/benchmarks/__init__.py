"""Benchmarks of the field in the folders their authors publish."""
