"""Finding a Whisper model's files: a directory, the cache, or the hub. Engine process only."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vivavoce.actors.transcription.engines.base import EngineError
from vivavoce.actors.transcription.engines.models import (
    MODEL_FILES,
    REPOSITORIES,
    cached_model,
    is_directory_name,
    unknown_model,
)

_CONNECT_S = 4.0
_WANTED = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]


def find_model(model: str, *, offline: bool, progress: Callable[[str, int, int], None]) -> Path:
    """The directory that holds ``model``; fetched if it must and may be.

    Raises:
        EngineError: ``model_not_found`` or ``model_corrupt``, with a line that names the fix.
    """
    if is_directory_name(model):
        return _checked(Path(model).expanduser())
    if model not in REPOSITORIES:
        raise EngineError(unknown_model(model), "model_not_found")
    cached = cached_model(model, os.environ)
    if cached is not None:
        return cached
    if offline:
        raise EngineError(
            f"the model {model!r} is not on this machine and the profile forbids fetching it: run "
            f"`vivavoce models pull {model}`, or use --engine pocketsphinx",
            "model_not_found",
        )
    return _fetch(model, progress)


def _checked(folder: Path) -> Path:
    if not folder.is_dir():
        raise EngineError(
            f"there is no model directory {str(folder)!r}: give a CTranslate2 Whisper directory, "
            "or a name such as base.en",
            "model_not_found",
        )
    for name in MODEL_FILES:
        path = folder / name
        if not path.is_file() or not path.stat().st_size:
            raise EngineError(
                f"the model directory {str(folder)!r} holds no {name}: it needs "
                f"{', '.join(MODEL_FILES)}",
                "model_corrupt",
            )
    return folder


def _fetch(model: str, progress: Callable[[str, int, int], None]) -> Path:
    refused = _unreachable()
    if refused:
        raise EngineError(
            f"the model {model!r} is not on this machine and cannot be fetched ({refused}): "
            f"connect once and run `vivavoce models pull {model}`, give a directory with --model, "
            "or use --engine pocketsphinx",
            "model_not_found",
        )
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            REPOSITORIES[model],
            allow_patterns=_WANTED,
            etag_timeout=_CONNECT_S,
            tqdm_class=_progress_bar(f"model {model}", progress),
        )
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"the model {model!r} could not be fetched ({reason}): try again, or use --engine "
            "pocketsphinx",
            "model_not_found",
        ) from error
    return Path(folder)


def _unreachable() -> str | None:
    """Why the hub cannot be reached, found out in seconds; None when it can, or a proxy decides."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return None
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
    try:
        socket.create_connection((endpoint.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        return f"{endpoint.hostname} does not answer: {error.strerror or error}"
    return None


def _progress_bar(what: str, progress: Callable[[str, int, int], None]) -> Any:
    """A tqdm class that tells ``progress`` of the bytes of the largest file instead of drawing."""
    from tqdm import tqdm

    class Told(tqdm):  # type: ignore[misc]  # tqdm has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._bytes = options.get("unit") == "B"
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": True})
            self._done = 0

        def update(self, count: float | None = 1) -> None:
            self._done += int(count or 0)
            if self._bytes:
                progress(what, self._done, int(self.total or 0))

    return Told
