"""What was measured on this machine before: a small JSON file in the user's cache directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from vivavoce.actors.transcription.engines.models import cached_model, is_directory_name
from vivavoce.actors.transcription.machine import processor_name
from vivavoce.actors.transcription.whisper_costs import Cost, Dimensions, MachineSpeed
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.cores import cores_available
from vivavoce.pipeline.log import get_logger

_FORMAT = 1
_KEPT = 64  # of each kind; the oldest go first
_LARGEST = 1 << 20

log = get_logger("transcription")


class Conditions(Struct, frozen=True, kw_only=True):
    """What a measurement depends on besides the model: it counts only where all are the same."""

    processor: str
    cores: int
    threads: int
    device: str
    compute_type: str
    versions: str


class Measurement(Struct, frozen=True, kw_only=True):
    """A model that was measured. ``identity`` changes when its files do.

    ``device`` and ``compute_type`` are what the engine really used; ``load_s`` includes warming up;
    ``others_share`` is the part of all processors that other programs took meanwhile.
    """

    model: str
    identity: str
    conditions: Conditions
    device: str
    compute_type: str
    load_s: float
    cost: Cost
    dimensions: Dimensions | None = None
    others_share: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Calibration(Struct, frozen=True, kw_only=True):
    """The arithmetic and memory speed of the machine, for when no model was measured."""

    conditions: Conditions
    speed: MachineSpeed


class _Contents(Struct, kw_only=True):
    format: int = _FORMAT
    measurements: list[Measurement] = []
    calibrations: list[Calibration] = []


def conditions(settings: TranscriptionSettings) -> Conditions:
    """The conditions of this machine and profile."""
    return Conditions(
        processor=processor_name(),
        cores=cores_available(),
        threads=settings.threads or cores_available(),
        device=settings.device,
        compute_type=settings.compute_type,
        versions=" ".join(
            f"{name} {_version(name)}" for name in ("vivavoce", "faster-whisper", "ctranslate2")
        ),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def model_folder(model: str, environ: Mapping[str, str]) -> Path | None:
    """Where a model lies on this machine; None where it does not."""
    if is_directory_name(model):
        folder = Path(model).expanduser()
        return folder if folder.is_dir() else None
    return cached_model(model, environ)


def model_identity(model: str, environ: Mapping[str, str]) -> str | None:
    """What tells a model on this machine from another, or from itself after a change."""
    folder = model_folder(model, environ)
    if folder is None:
        return None
    try:
        weights = (folder / "model.bin").stat()
    except OSError:
        return None
    return f"{folder.resolve()} {weights.st_size} {weights.st_mtime_ns}"


class SpeedCache:
    """The file of measurements: bounded, replaced whole, and ignored where it is damaged."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        self.path = Path(base) / "vivavoce" / "speed.json"
        self._environ = environ
        self._contents = self._read()

    def measurements(self, where: Conditions) -> list[Measurement]:
        """What was measured under these conditions, of models that are still as they were."""
        return [
            found
            for found in self._contents.measurements
            if found.conditions == where
            and found.identity == model_identity(found.model, self._environ)
        ]

    def calibration(self, where: Conditions) -> MachineSpeed | None:
        """The machine's speed, if it was measured."""
        for found in self._contents.calibrations:
            if found.conditions == where:
                return found.speed
        return None

    def add_measurement(self, fresh: Measurement) -> None:
        """Keep a measurement instead of an older one of the same model."""
        kept = [
            old
            for old in self._contents.measurements
            if (old.model, old.conditions) != (fresh.model, fresh.conditions)
        ]
        self._contents.measurements = [*kept, fresh][-_KEPT:]
        self._write()

    def add_calibration(self, fresh: Calibration) -> None:
        """Keep the machine's speed instead of an older one."""
        kept = [old for old in self._contents.calibrations if old.conditions != fresh.conditions]
        self._contents.calibrations = [*kept, fresh][-_KEPT:]
        self._write()

    def _read(self) -> _Contents:
        try:
            with self.path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return _Contents()
        except OSError as error:
            log.warning(f"{self.path} cannot be read, so speeds are estimated: {error.strerror}")
            return _Contents()
        try:
            if len(data) > _LARGEST:
                raise msgspec.ValidationError("it is too large")
            found = msgspec.json.decode(data, type=_Contents)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning(f"{self.path} is damaged and is not used: {error}")
            return _Contents()
        return found if found.format == _FORMAT else _Contents()

    def _write(self) -> None:
        """Replace the file at once, so that nobody ever reads half of it."""
        data = msgspec.json.format(msgspec.json.encode(self._contents), indent=1)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".speed-")
        except OSError as error:
            log.warning(f"{self.path} cannot be written: {error.strerror}")
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(self.path)
        except OSError as error:
            log.warning(f"{self.path} cannot be written: {error.strerror}")
            with suppress(OSError):
                Path(name).unlink()
