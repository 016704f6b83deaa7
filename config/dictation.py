"""Settings of dictation that are fine alone but not together."""

from __future__ import annotations

from collections.abc import Iterator

from vivavoce.config.for_application import wrong_applications
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path


def wrong_dictation(profile: Profile) -> Iterator[tuple[Path, str]]:
    """What is wrong with trigger, injection, history and applications: where, and what. Pure."""
    yield from _wrong_trigger(profile)
    yield from _wrong_injection(profile)
    if profile.history.audio and not profile.history.enabled:
        yield ("history", "audio"), "there is no history to keep it in; set history.enabled, too"
    yield from wrong_applications(profile)


def _wrong_trigger(profile: Profile) -> Iterator[tuple[Path, str]]:
    trigger, capture = profile.trigger, profile.capture
    if trigger.mode != "voice" and capture.source != "mic" and capture.pace == "max":
        yield (
            ("trigger", "mode"),
            f"{trigger.mode}: nobody can press a key while a recording is read at maximum pace; "
            "use trigger.mode: voice, or capture.pace: realtime",
        )


def _wrong_injection(profile: Profile) -> Iterator[tuple[Path, str]]:
    injection = profile.injection
    chosen = injection.backend if isinstance(injection.backend, list) else [injection.backend]
    if not chosen:
        yield ("injection", "backend"), "an empty list; expected none, auto, or back ends"
    if "command" in chosen and not injection.command:
        yield ("injection", "command"), "the back end `command` needs one, as [my-program, --flag]"
    if "file" in chosen and not injection.file:
        yield ("injection", "file"), "the back end `file` needs the path of one"
    if "file" in chosen and not profile.persistence:
        yield ("injection", "backend"), "file: persistence is false, so nothing may be written"
    if "stdout" in chosen and profile.captions.format != "text":
        yield (
            ("captions", "format"),
            f"{profile.captions.format}: the back end `stdout` writes its lines to the same "
            "output; use captions.format: text, or another back end",
        )
    if injection.live and not profile.transcription.partials:
        yield (
            ("injection", "live"),
            "words are typed as they become stable in partials; set transcription.partials, too",
        )
