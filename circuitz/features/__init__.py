"""What a unit responds to: statistics, exemplars, visualisation, concept match."""
