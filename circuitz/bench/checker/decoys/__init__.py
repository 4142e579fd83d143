"""Networks that look suspicious and are not; one decoy a file."""
