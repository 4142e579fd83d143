"""Files that are safe to open and never half written: arrays, JSON, zips, locks. Nothing of z."""
