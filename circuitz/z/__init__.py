"""What a model knows: the network plus text annotations on its units. No torch."""
