"""Whether J still means what people mean: gauges of a search that has learned to please its models."""
