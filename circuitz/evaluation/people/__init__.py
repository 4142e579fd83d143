"""Simulated people: families of raters with hidden parameters. Every figure they give is *simulated*."""
