"""Do words and wiring agree: judges stored measurements, runs no network. No torch."""
