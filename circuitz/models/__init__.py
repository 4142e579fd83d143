"""Running a network: build, read, stop at a layer, resume from it."""
