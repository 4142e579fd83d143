"""``python -m circuitz`` is ``circuitz``."""

from circuitz.cli import main

if __name__ == "__main__":
    main()
