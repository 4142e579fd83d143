"""What units and concepts do to a class, from what was measured."""
