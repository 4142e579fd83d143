"""How plausible people find z. No torch."""
