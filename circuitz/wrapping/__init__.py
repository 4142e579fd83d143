"""From a live network and its data to a z."""
