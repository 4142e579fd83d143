"""Do words fit what a unit responds to: matches, rivals, and what people saw."""
