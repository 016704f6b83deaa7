"""``python -m bench`` from the source tree."""

from __future__ import annotations

import sys
from pathlib import Path

# ``-m`` puts the source tree's root in front, where the folder ``vivavoce`` would hide the
# installed package and with it the folders that are mapped into it.
_ROOT = Path(__file__).resolve().parent.parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _ROOT]


def main() -> None:
    """Run the command line."""
    try:
        from vivavoce.bench.command import command
    except ModuleNotFoundError as error:
        sys.exit(f"python -m bench: {error}; install the project first: make install")
    command(prog_name="python -m bench")


if __name__ == "__main__":
    main()
