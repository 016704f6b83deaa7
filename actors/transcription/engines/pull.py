"""Fetches a model in a process of its own: `python -m …engines.pull NAME`.

Prints JSON lines: ``{"what", "done", "total"}`` as it goes on; at the end ``{"folder"}`` or
``{"error"}``.
"""

from __future__ import annotations

import json
import sys

from vivavoce.actors.transcription.engines.base import EngineError
from vivavoce.actors.transcription.engines.whisper_files import find_model


def main() -> None:
    """Fetch the model named by the first argument."""
    try:
        folder = find_model(sys.argv[1], offline=False, progress=_tell)
    except EngineError as error:
        _print({"error": str(error)})
    else:
        _print({"folder": str(folder)})


def _tell(what: str, done: int, total: int) -> None:
    _print({"what": what, "done": done, "total": total})


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
