"""What people think of a z: the prior, the likelihood, and the objective made of both."""
