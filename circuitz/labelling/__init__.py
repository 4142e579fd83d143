"""From z* to labels: export, questions about D′, and the model of the answers. No torch."""
