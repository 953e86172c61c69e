"""Run the command with `python -m`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
