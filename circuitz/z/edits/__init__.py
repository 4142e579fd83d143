"""The append-only log of annotations: entries, what stands, what differs, what is stale."""
