"""Everything a check needs to know of a network, measured once and stored with z."""
