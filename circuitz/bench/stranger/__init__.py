"""A second drawn dog world, brought as a stranger brings one: folders, image labels, nothing else."""
