"""The rows of the speed table, a file each: see :mod:`circuitz.bench.row`."""
