"""The induction story: two models right on D, one of them for a reason that does not hold."""
