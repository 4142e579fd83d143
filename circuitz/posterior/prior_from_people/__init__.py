"""M_prior fitted to people's comparisons of cards."""
