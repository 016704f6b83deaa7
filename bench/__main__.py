"""``python -m bench`` from the source tree."""

from __future__ import annotations

import sys

from bench import ROOT


def main() -> None:
    """Run the command line."""
    try:
        from vivavoce.bench import command, registry
    except ModuleNotFoundError as error:
        sys.exit(f"python -m bench: {error}; install the project first: make install")
    if registry.checkout() != ROOT:
        sys.exit(
            f"python -m bench: the vivavoce that Python finds is {registry.__file__}, and not that "
            f"of this checkout; use the one that `make install` sets up: .venv/bin/python -m bench"
        )
    command.command(prog_name="python -m bench")


if __name__ == "__main__":
    main()
