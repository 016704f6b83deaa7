"""The `trigger` and `control` sections: when to listen, and who may say so."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from vivavoce.config.section import Milliseconds, Section

TriggerMode: TypeAlias = Literal["voice", "hold", "toggle", "manual"]


class FeedbackSettings(Section, frozen=True, kw_only=True):
    """What tells that recording began or ended."""

    tones: Annotated[bool, Meta(description="A short tone at the begin, end and cancel.")] = False
    volume: Annotated[float, Meta(ge=0.0, le=1.0, description="How loud the tones are.")] = 0.2
    notifications: Annotated[
        bool, Meta(description="A notification of the desktop (needs notify-send).")
    ] = False


class TriggerSettings(Section, frozen=True, kw_only=True):
    """When what is said is recognised."""

    mode: Annotated[
        TriggerMode,
        Meta(
            description="`voice`: always, whoever speaks. `hold`: while the hotkey is held "
            "(push-to-talk). `toggle`: from one press of it to the next. `manual`: only as "
            "`vivavoce ctl` says."
        ),
    ] = "voice"
    hotkey: Annotated[
        str | None,
        Meta(
            description="Keys pressed together, as `ctrl+alt+space` or `f9`. Nothing: no global "
            "hotkey; bind `vivavoce ctl toggle` in your desktop."
        ),
    ] = None
    cancel_hotkey: Annotated[
        str | None, Meta(description="Discards what was said since recording began.")
    ] = None
    backend: Annotated[
        Literal["auto", "pynput", "evdev"],
        Meta(
            description="What hears the keys: pynput (X11, macOS, Windows) or evdev (Linux "
            "consoles and Wayland, where you may read /dev/input)."
        ),
    ] = "auto"
    debounce_ms: Annotated[
        Milliseconds,
        Meta(description="A key that changes back within this time has only bounced or repeated."),
    ] = 16
    min_hold_ms: Annotated[
        Milliseconds,
        Meta(description="`hold`: what is held for less is a slip, and is discarded."),
    ] = 100
    pre_roll_ms: Annotated[Milliseconds, Meta(description="Audio kept from before the press.")] = (
        320
    )
    tail_ms: Annotated[Milliseconds, Meta(description="Audio still taken after the release.")] = 240
    max_recording_s: Annotated[
        Annotated[float, Meta(gt=0.0, le=86_400.0)] | None,
        Meta(
            description="A recording ends by itself after this long, so that a key release that "
            "never came leaves nothing listening. Nothing: never. Not in mode `voice`."
        ),
    ] = 600.0
    feedback: FeedbackSettings = field(default_factory=FeedbackSettings)


class ControlSettings(Section, frozen=True, kw_only=True):
    """How other programs control a running one (`vivavoce ctl`)."""

    enabled: Annotated[
        bool,
        Meta(description="Listen on a socket in the user's runtime directory; microphones only."),
    ] = True
    instance: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")],
        Meta(description="Name of this instance: two that run side by side need two names."),
    ] = "default"
