"""What units of one layer do to those of a later one."""
