"""Microphones: which there are, and which one a profile means."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from vivavoce.actors.capture.alsa import leave_out_converters
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import DeviceChoice


class InputDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A microphone as PortAudio sees it; ``default_rate`` in samples per second."""

    index: int
    name: str
    channels: int
    default_rate: int
    is_default: bool


def portaudio() -> Any:
    """The sounddevice module.

    Raises:
        SourceError: PortAudio or sounddevice is not installed; the text names the command.
    """
    if "sounddevice" not in sys.modules:  # PortAudio starts with the import
        leave_out_converters()
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            "the microphone needs PortAudio, which is not installed: run `sudo apt install "
            "libportaudio2` (recordings and `--source -` work without it)"
        ) from error
    except ImportError as error:
        raise SourceError(
            "the microphone needs sounddevice: run `pip install sounddevice`"
        ) from error
    return sounddevice


def list_input_devices() -> list[InputDevice]:
    """All microphones, in PortAudio's order.

    Raises:
        SourceError: PortAudio is missing or does not answer.
    """
    sounddevice = portaudio()
    try:
        found = sounddevice.query_devices()
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise SourceError(f"PortAudio cannot list the microphones: {error}") from error
    return [
        InputDevice(
            index=number,
            name=str(device["name"]),
            channels=int(device["max_input_channels"]),
            default_rate=int(device["default_samplerate"]),
            is_default=number == default,
        )
        for number, device in enumerate(found)
        if device["max_input_channels"] > 0
    ]


def ranked(devices: Sequence[InputDevice], choice: DeviceChoice) -> list[InputDevice]:
    """The devices that ``choice`` means, best first: pure.

    Args:
        devices: all there are.
        choice: a name or a part of one (any case), an index, a list of them, or None for the
            system's default.

    Raises:
        SourceError: no device fits, or a name fits several and none exactly.
    """
    if not devices:
        raise SourceError(
            "there is no microphone: connect one (`vivavoce devices` lists them), or give a "
            "recording with --source FILE"
        )
    if choice is None:
        default = [device for device in devices if device.is_default]
        return default or [devices[0]]
    if not isinstance(choice, list):
        return [_match(devices, choice)]
    found: list[InputDevice] = []
    missing: list[SourceError] = []
    for wish in choice:
        try:
            found.append(_match(devices, wish))
        except SourceError as error:
            missing.append(error)
    if not found:
        raise missing[0] if missing else SourceError("capture.device is an empty list")
    return found


def _match(devices: Sequence[InputDevice], wish: str | int) -> InputDevice:
    if isinstance(wish, int):
        for device in devices:
            if device.index == wish:
                return device
        indices = ", ".join(str(device.index) for device in devices)
        raise SourceError(f"there is no microphone number {wish}: there are {indices}")
    low = wish.casefold()
    exact = [device for device in devices if device.name.casefold() == low]
    part = [device for device in devices if low in device.name.casefold()]
    if exact or len(part) == 1:
        return (exact or part)[0]
    names = [device.name for device in devices]
    if part:
        several = ", ".join(repr(device.name) for device in part)
        raise SourceError(f"the microphone {wish!r} is ambiguous: {several} (`vivavoce devices`)")
    by_fold = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(low, by_fold, n=1)
    hint = f"did you mean {by_fold[near[0]]!r}? " if near else ""
    known = ", ".join(repr(name) for name in names)
    raise SourceError(f"there is no microphone {wish!r}: {hint}There are {known}")
