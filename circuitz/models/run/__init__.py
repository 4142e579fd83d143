"""Running a network: read it at layers, stop at one, resume from it, leave it as it was."""
