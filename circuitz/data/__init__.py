"""D, D′ and concept sets: rendered worlds, image folders, what a user passes in."""
