"""Data sets on which a search must not hand out its z*, each with a benign twin that it must."""
