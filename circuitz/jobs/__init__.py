"""Work cut into pieces that other machines can do: in this process, or on a Dask cluster."""
