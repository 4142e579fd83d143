"""Pictures in folders, concept labels in tables: what a person brings."""
