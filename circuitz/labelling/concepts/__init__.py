"""Questions about concepts: where they are shown, and blind tests of words."""
