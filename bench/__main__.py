"""``python -m bench`` from the source tree."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from vivavoce.bench.command import command
    except ModuleNotFoundError as error:
        sys.exit(f"python -m bench: {error}; install the project first: make install")
    command(prog_name="python -m bench")


if __name__ == "__main__":
    main()
