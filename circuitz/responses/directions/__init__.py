"""Units that are directions of a layer: fitted, read from files, measured like neurons."""
