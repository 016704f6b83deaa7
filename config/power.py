"""The `power` section: when the pipeline goes to sleep, how deeply, and on which conditions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, field

from vivavoce.config.section import Section

BlockLength: TypeAlias = Literal[32, 64, 96, 128, 192, 256, 512]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0, le=31_536_000.0)]


class ModeSettings(Section, frozen=True, kw_only=True):
    """What is awake in one power mode."""

    block_ms: Annotated[
        BlockLength,
        Meta(
            description="Length of the microphone's audio blocks; not below `capture.block_ms`. "
            "Each block wakes the program."
        ),
    ] = 32
    detector: Annotated[
        bool,
        Meta(
            description="Keep the speech detector (Silero) awake. Off: an energy gate alone "
            "listens, and what passes it wakes the detector."
        ),
    ] = True
    engine: Annotated[
        Literal["resident", "stopped"],
        Meta(description="`stopped`: its process ends and all of its memory is free."),
    ] = "resident"
    microphone: Annotated[
        Literal["open", "closed"], Meta(description="`closed`: nothing is heard any more.")
    ] = "open"
    partial_interval_ms: Annotated[
        Annotated[int, Meta(ge=50, le=600_000)] | None,
        Meta(description="Shortest time between partials; nothing: as in `transcription`."),
    ] = None


CONDITIONS = ("on_battery", "low_battery", "under_pressure")
"""The conditions of the machine, in the order in which their settings are laid over the profile."""


class ConditionSettings(Section, frozen=True, kw_only=True):
    """A condition of the machine, and the settings that hold while it is met."""

    settings: Annotated[
        dict[str, Any],
        Meta(
            description="Settings over the profile, as `transcription: {partials: false}`; "
            "they are checked when the profile is loaded. Null takes out what a layer below set.",
            extra_json_schema={"$ref": "#/$defs/Profile"},
        ),
    ] = field(default_factory=dict)


class PowerSettings(Section, frozen=True, kw_only=True):
    """Power modes: active → listening → idle → parked → closed, and back."""

    mode: Annotated[
        Literal["auto", "active", "listening", "idle", "parked", "closed"],
        Meta(
            description="`auto`: by how long it has been quiet. Another: the mode in which silence "
            "is spent, from the first moment on."
        ),
    ] = "auto"
    listening_after_s: Annotated[
        Seconds, Meta(description="Quiet time after which blocks get longer.")
    ] = 10.0
    idle_after_s: Annotated[
        Seconds, Meta(description="Quiet time after which only the energy gate listens.")
    ] = 60.0
    park_after_s: Annotated[
        Seconds | None, Meta(description="Quiet time after which the engine's process ends.")
    ] = 600.0
    close_after_s: Annotated[
        Seconds | None,
        Meta(
            description="Quiet time after which the microphone is released. Nothing (the default): "
            "never, because no voice could wake it."
        ),
    ] = None
    reopen_after_s: Annotated[
        Seconds | None,
        Meta(description="How long the microphone stays released before it listens again."),
    ] = None
    confirm_s: Annotated[
        Seconds,
        Meta(
            description="How long a sound keeps the pipeline awake that is not followed by speech."
        ),
    ] = 5.0
    active: Annotated[ModeSettings, Meta(description="Somebody speaks, or did just now.")] = field(
        default_factory=ModeSettings
    )
    listening: Annotated[ModeSettings, Meta(description="Nobody speaks.")] = field(
        default_factory=lambda: ModeSettings(block_ms=192)
    )
    idle: Annotated[ModeSettings, Meta(description="Nobody has spoken for a while.")] = field(
        default_factory=lambda: ModeSettings(block_ms=512, detector=False)
    )
    parked: Annotated[ModeSettings, Meta(description="Nobody has spoken for long.")] = field(
        default_factory=lambda: ModeSettings(block_ms=512, detector=False, engine="stopped")
    )
    closed: Annotated[ModeSettings, Meta(description="The microphone is released.")] = field(
        default_factory=lambda: ModeSettings(
            block_ms=512, detector=False, engine="stopped", microphone="closed"
        )
    )
    on_battery: Annotated[
        ConditionSettings, Meta(description="What changes while the machine runs on its battery.")
    ] = field(
        default_factory=lambda: ConditionSettings(
            settings={
                "transcription": {"draft": None, "partial_interval_ms": 500},
                "power": {"park_after_s": 60.0},
            }
        )
    )
    low_battery: Annotated[
        ConditionSettings, Meta(description="What changes besides when the battery is low.")
    ] = field(default_factory=ConditionSettings)
    low_battery_percent: Annotated[
        int, Meta(ge=0, le=100, description="A battery with less is low.")
    ] = 20
    under_pressure: Annotated[
        ConditionSettings,
        Meta(
            description="What changes while other programs wait for the processor, or it is too "
            "hot (where the platform tells)."
        ),
    ] = field(default_factory=ConditionSettings)
    pressure_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="Share of the time in which something waited for a processor (Linux: "
            "/proc/pressure/cpu, `some avg60`) that counts as pressure.",
        ),
    ] = 60
