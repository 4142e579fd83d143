"""The benchmark of judgements: simulated people, a pool of z's, and what is learned of their answers."""
