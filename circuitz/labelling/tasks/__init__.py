"""Task packs: questions about D′ that people answer while they hold z*'s card."""
