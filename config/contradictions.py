"""Settings that are fine alone but not together: a table of rules."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import NamedTuple

from vivavoce.config.components import COMPONENTS
from vivavoce.config.dictation import wrong_dictation
from vivavoce.config.hotkeys import wrong_hotkeys
from vivavoce.config.monitoring import MetricsSettings, is_loopback, listen_address
from vivavoce.config.power import PowerSettings
from vivavoce.config.schema import Profile
from vivavoce.config.spoken import wrong_languages
from vivavoce.config.yaml_lines import Path


def contradictions(profile: Profile) -> list[tuple[Path, str]]:
    """Settings that are fine alone but not together: the path of one, and what is wrong. Pure."""
    return [
        *((rule.path, rule.complaint(profile)) for rule in _RULES if not rule.fine(profile)),
        *_of_listening(profile.metrics),
        *_of_components(profile),
        *_of_power(profile.power),
        *wrong_languages(profile),
        *wrong_dictation(profile),
        *wrong_hotkeys(profile),
    ]


class _Rule(NamedTuple):
    path: Path
    fine: Callable[[Profile], bool]
    complaint: Callable[[Profile], str]


_RULES = (
    _Rule(
        ("vad", "release_threshold"),
        lambda p: p.vad.release_threshold <= p.vad.threshold,
        lambda p: (
            f"{p.vad.release_threshold} is above vad.threshold ({p.vad.threshold}): speech "
            "would end at once; expected at most the threshold"
        ),
    ),
    _Rule(
        ("vad", "release_threshold"),
        lambda p: p.vad.release_threshold > 0,
        lambda p: (
            f"{p.vad.release_threshold}: no probability is below that, so speech would never "
            "end; expected more than 0"
        ),
    ),
    _Rule(
        ("vad", "threshold"),
        lambda p: p.vad.threshold < 1,
        lambda p: (
            f"{p.vad.threshold}: no speech is that certain, so none would be heard; expected "
            "less than 1"
        ),
    ),
    _Rule(
        ("vad", "pause_ms"),
        lambda p: p.vad.pause_ms <= p.vad.end_silence_ms,
        lambda p: f"{p.vad.pause_ms} is above vad.end_silence_ms ({p.vad.end_silence_ms})",
    ),
    _Rule(
        ("vad", "hangover_ms"),
        lambda p: p.vad.hangover_ms <= p.vad.end_silence_ms,
        lambda p: f"{p.vad.hangover_ms} is above vad.end_silence_ms ({p.vad.end_silence_ms})",
    ),
    _Rule(
        ("captions", "subtitles", "shortest_ms"),
        lambda p: p.captions.subtitles.shortest_ms <= p.captions.subtitles.longest_ms,
        lambda p: (
            f"{p.captions.subtitles.shortest_ms} is above captions.subtitles.longest_ms "
            f"({p.captions.subtitles.longest_ms}); expected at most that"
        ),
    ),
    _Rule(
        ("supervisor", "backoff_ms"),
        lambda p: p.supervisor.backoff_ms <= p.supervisor.max_backoff_ms,
        lambda p: (
            f"{p.supervisor.backoff_ms} is above supervisor.max_backoff_ms "
            f"({p.supervisor.max_backoff_ms})"
        ),
    ),
    _Rule(
        ("transcription", "draft"),
        lambda p: p.transcription.draft != "auto",
        lambda _: (
            "only `model` can be chosen by itself; expected the name of a small model, as tiny.en"
        ),
    ),
    _Rule(
        ("transcription", "draft"),
        lambda p: p.transcription.draft is None or p.transcription.engine != "pocketsphinx",
        lambda _: (
            "pocketsphinx has no models to choose from; use engine: faster-whisper, or no draft"
        ),
    ),
    _Rule(
        ("cleanup", "replacements"),
        lambda p: all(key.strip() for key in p.cleanup.replacements),
        lambda _: "an empty text cannot be replaced",
    ),
    _Rule(
        ("metrics", "interval_s"),
        lambda p: p.metrics.interval_s <= p.metrics.quiet_interval_s,
        lambda p: (
            f"{p.metrics.interval_s:g} is above metrics.quiet_interval_s "
            f"({p.metrics.quiet_interval_s:g})"
        ),
    ),
)


def _of_listening(metrics: MetricsSettings) -> list[tuple[Path, str]]:
    if metrics.listen is None:
        return []
    path: Path = ("metrics", "listen")
    try:
        host, port = listen_address(metrics.listen)
    except ValueError as error:
        return [(path, f"{metrics.listen!r}: {error}")]
    if is_loopback(host) or metrics.listen_beyond_loopback:
        return []
    return [
        (
            path,
            f"{metrics.listen}: other machines could read it; use 127.0.0.1:{port}, or allow it "
            "with metrics.listen_beyond_loopback: true",
        )
    ]


def _of_components(profile: Profile) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for component in profile.log.levels:
        near = difflib.get_close_matches(component, COMPONENTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(COMPONENTS)}"
        if component not in COMPONENTS:
            found.append((("log", "levels", component), f"there is no such component: {hint}"))
    return found


def _of_power(power: PowerSettings) -> list[tuple[Path, str]]:
    return [
        (
            ("power", mode, "microphone"),
            "nobody could be heard in the mode that speech leads to; expected open. "
            "power.close_after_s says when the microphone is released",
        )
        for mode in ("active", "listening")
        if getattr(power, mode).microphone == "closed"
    ]
