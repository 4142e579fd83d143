"""The Studio: the screen on which the units of a z are looked at, named and checked."""
