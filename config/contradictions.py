"""Settings that are fine alone but not together."""

from __future__ import annotations

import difflib

from vivavoce.config.components import COMPONENTS
from vivavoce.config.dictation import wrong_dictation
from vivavoce.config.hotkeys import wrong_hotkeys
from vivavoce.config.monitoring import is_loopback, listen_address
from vivavoce.config.power import PowerSettings
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path


def contradictions(profile: Profile) -> list[tuple[Path, str]]:
    """Settings that are fine alone but not together: the path of one, and what is wrong. Pure."""
    vad, transcription = profile.vad, profile.transcription
    found: list[tuple[Path, str]] = []

    def unless(fine: bool, section: str, key: str, complaint: str) -> None:
        if not fine:
            found.append(((section, key), complaint))

    unless(
        vad.release_threshold <= vad.threshold,
        "vad",
        "release_threshold",
        f"{vad.release_threshold} is above vad.threshold ({vad.threshold}): speech would end at "
        "once; expected at most the threshold",
    )
    unless(
        vad.release_threshold > 0,
        "vad",
        "release_threshold",
        f"{vad.release_threshold}: no probability is below that, so speech would never end; "
        "expected more than 0",
    )
    unless(
        vad.threshold < 1,
        "vad",
        "threshold",
        f"{vad.threshold}: no speech is that certain, so none would be heard; expected less than 1",
    )
    unless(
        vad.pause_ms < vad.end_silence_ms,
        "vad",
        "pause_ms",
        f"{vad.pause_ms} is not below vad.end_silence_ms ({vad.end_silence_ms})",
    )
    unless(
        vad.hangover_ms <= vad.end_silence_ms,
        "vad",
        "hangover_ms",
        f"{vad.hangover_ms} is above vad.end_silence_ms ({vad.end_silence_ms})",
    )
    unless(
        vad.pre_roll_ms + vad.min_speech_ms + vad.cut_search_ms < vad.max_utterance_ms,
        "vad",
        "cut_search_ms",
        f"{vad.cut_search_ms} with pre-roll and shortest speech is not below vad.max_utterance_ms "
        f"({vad.max_utterance_ms}): the cut could lie before the speech",
    )
    unless(
        vad.pre_roll_ms + vad.min_speech_ms + vad.end_silence_ms < vad.max_utterance_ms,
        "vad",
        "max_utterance_ms",
        "is shorter than pre-roll, shortest speech and end silence together",
    )
    unless(
        profile.supervisor.backoff_ms <= profile.supervisor.max_backoff_ms,
        "supervisor",
        "backoff_ms",
        f"{profile.supervisor.backoff_ms} is above supervisor.max_backoff_ms "
        f"({profile.supervisor.max_backoff_ms})",
    )
    unless(
        transcription.engine != "pocketsphinx" or transcription.language in (None, "en", "en-US"),
        "transcription",
        "language",
        f"{transcription.language!r}: pocketsphinx knows only English; use engine: faster-whisper",
    )
    unless(
        transcription.draft != "auto",
        "transcription",
        "draft",
        "only `model` can be chosen by itself; expected the name of a small model, as tiny.en",
    )
    unless(
        transcription.draft is None or transcription.engine != "pocketsphinx",
        "transcription",
        "draft",
        "pocketsphinx has no models to choose from; use engine: faster-whisper, or no draft",
    )
    unless(
        all(key.strip() for key in profile.cleanup.replacements),
        "cleanup",
        "replacements",
        "an empty text cannot be replaced",
    )
    metrics = profile.metrics
    if metrics.listen is not None:
        try:
            host, port = listen_address(metrics.listen)
        except ValueError as error:
            found.append((("metrics", "listen"), f"{metrics.listen!r}: {error}"))
        else:
            unless(
                is_loopback(host) or metrics.listen_beyond_loopback,
                "metrics",
                "listen",
                f"{metrics.listen}: other machines could read it; use 127.0.0.1:{port}, or allow "
                "it with metrics.listen_beyond_loopback: true",
            )
    unless(
        metrics.interval_s <= metrics.quiet_interval_s,
        "metrics",
        "interval_s",
        f"{metrics.interval_s:g} is above metrics.quiet_interval_s ({metrics.quiet_interval_s:g})",
    )
    for component in profile.log.levels:
        near = difflib.get_close_matches(component, COMPONENTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(COMPONENTS)}"
        if component not in COMPONENTS:
            found.append((("log", "levels", component), f"there is no such component: {hint}"))
    return [*found, *_of_power(profile.power), *wrong_dictation(profile), *wrong_hotkeys(profile)]


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
