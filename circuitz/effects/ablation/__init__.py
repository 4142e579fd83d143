"""What every unit by itself adds to every class: exact, estimated, and as a table."""
