"""Which Whisper models there are, and where they lie on this machine. Imports nothing heavy."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

REPOSITORIES: Mapping[str, str] = {
    **{
        name: f"Systran/faster-whisper-{name}"
        for name in (
            "tiny.en",
            "tiny",
            "base.en",
            "base",
            "small.en",
            "small",
            "medium.en",
            "medium",
            "large-v1",
            "large-v2",
            "large-v3",
        )
    },
    "large": "Systran/faster-whisper-large-v3",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Model names and the repositories of the Hugging Face hub that hold them."""

AUTO = "auto"
"""The value of ``transcription.model`` that asks for a choice by speed."""

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a model directory must hold. Without the tokenizer, faster-whisper would fetch one."""


def is_directory_name(model: str) -> bool:
    """Whether ``model`` means a directory rather than a known name."""
    return "/" in model or os.sep in model or Path(model).is_dir()


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where the Hugging Face hub keeps its downloads."""
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"])
    if environ.get("HF_HOME"):
        return Path(environ["HF_HOME"]) / "hub"
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "huggingface" / "hub"


def cached_model(name: str, environ: Mapping[str, str]) -> Path | None:
    """The directory of a model that was fetched before and is complete, else None."""
    repository = REPOSITORIES.get(name)
    if repository is None:
        return None
    folder = cache_folder(environ) / ("models--" + repository.replace("/", "--"))
    try:
        revision = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except OSError:
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if all((snapshot / name).exists() for name in MODEL_FILES) else None


def unknown_model(name: str) -> str:
    """One line for a name that is no model's."""
    near = difflib.get_close_matches(name, REPOSITORIES, n=1)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return f"there is no Whisper model {name!r}{hint} (`vivavoce models list` shows them)"
