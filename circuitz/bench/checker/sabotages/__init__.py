"""Networks made to fool the check; one sabotage a file."""
