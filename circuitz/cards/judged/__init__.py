"""What people said about cards and with them, as values; and which cards they are asked about."""
