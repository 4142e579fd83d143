"""Kernels: each proposes one kind of change of a z, and knows nothing of J."""
