"""Which z is z*: chosen by J and its error, never by the largest of many noisy numbers."""
