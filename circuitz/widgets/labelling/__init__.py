"""The labelling screen: one picture, one decision. No torch."""
