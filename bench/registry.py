"""The benchmarks by name. Each is a module with ``description`` and ``run(options) -> Result``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from vivavoce.bench.results import Result

NAMES = (
    "channel",
    "micro",
    "pipeline",
    "ring",
    "loop",
    "monitor",
    "startup",
    "ptt-path",
    "cleanup",
    "phrases",
    "ptt",
    "history",
    "stream",
    "throughput",
    "idle",
    "wake",
    "memory",
    "soak",
)
"""In the order in which ``all`` runs them: the long ones last."""

RULES = {
    "trimming": "transcription.partial_context=full",
    "prefix": "transcription.forced_prefix=false",
    "hold-back": "transcription.hold_back_words=0",
    "speculation": "transcription.speculative_finals=false",
    "partials": "transcription.partials=false",
    "adaptive-interval": "transcription.partial_cpu_share=1.0",
    "ladder": "transcription.overload_ladder=false",
    "full-finals": "transcription.final_context=auto",
    "temperature-fallback": "transcription.temperature_fallback=false",
    "word-times": "transcription.word_times=false",
    "window-cut": "transcription.window_ms=28000",
    "margin": "transcription.context_margin_ms=0",
    "hallucination-guard": "cleanup.hallucinations=false",
    "repetition-guard": "cleanup.repeated_phrases=false",
}
"""What ``stream`` can do without, and the setting that switches it off.

Without ``window-cut``, speech is cut only where Whisper's window forces it. Words from before, a
draft model and the phrase cache are off in the profile already.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run of a benchmark is told.

    Attributes:
        quick: a few seconds at most: shows that the benchmark works; its figures mean little.
        model: a Whisper model (CTranslate2 directory or name); None: the one of the checkout's
            tests, and pocketsphinx where there is no checkout.
        hours: hours of audio for ``memory`` and ``soak``.
        seconds: for ``idle``, seconds of measuring in each mode.
        trials: for ``wake``, utterances that wake it from ``parked``.
        minutes: for ``soak``, minutes in real time.
        recording: for ``stream``, a recording beside a ``refs.json``; None: the checkout's talk.
        unbroken: for ``stream`` and ``throughput``, take the pauses out of the recording and repeat
            it for so many minutes; 0: as it is.
        without: for ``stream``, names of :data:`RULES` that are switched off.
        ablation: for ``stream``, run once more for each rule, without it.
        curve: for ``stream``, run once for each of several hold-backs.
        plot: for ``stream`` and ``soak``, where to write a plot (SVG).
        say: told in a short line what goes on.
    """

    quick: bool = False
    model: str | None = None
    hours: float = 3.0
    seconds: float = 60.0
    trials: int = 100
    minutes: float = 20.0
    recording: Path | None = None
    unbroken: float = 0.0
    without: tuple[str, ...] = ()
    ablation: bool = False
    curve: bool = False
    plot: Path | None = None
    say: Callable[[str], None] = lambda _: None


class Benchmark(Protocol):
    """A benchmark module."""

    name: str
    description: str

    def run(self, options: Options) -> Result:
        """Measure. Takes minutes; ``memory``, ``wake`` and ``soak`` take longer."""
        ...


def find(name: str) -> Benchmark:
    """The benchmark of that name (one of :data:`NAMES`)."""
    module = name.replace("-", "_")
    return cast(Benchmark, importlib.import_module(f"vivavoce.bench.{module}"))


def checkout() -> Path | None:
    """The root of the source tree that this package is part of; None when installed without."""
    root = Path(__file__).resolve().parent.parent
    return root if (root / "tests" / "assets" / "speech").is_dir() else None
