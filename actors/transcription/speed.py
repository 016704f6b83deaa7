"""How fast a Whisper model is on this machine: measured where it is here, estimated where not."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vivavoce.actors.transcription import whisper_costs
from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineInfo, EngineSpec, SessionOptions
from vivavoce.actors.transcription.engines.models import is_directory_name
from vivavoce.actors.transcription.machine import BUSY_SHARE, MODEST_GPU, TYPICAL_SPEED, SharedLoad
from vivavoce.actors.transcription.model_choice import (
    ModelCost,
    accuracy,
    accuracy_by_size,
    knows_only_english,
)
from vivavoce.actors.transcription.speed_cache import (
    Measurement,
    conditions,
    model_folder,
    model_identity,
)
from vivavoce.actors.transcription.whisper_costs import SIZES, Cost, Dimensions, MachineSpeed
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.metrics import Metrics

_RATE = 16_000
_SAMPLE_BYTES = 2
_FINALS = 4  # the first one warms up and is not counted
_BUDGET_S = 20.0
_HEARD_S = 4.0  # before the first partial
_STEP_S = 0.25
_UNSURE_WORDS = 2  # that two partials have not agreed on yet

Progress = Callable[[str, int, int], None]


async def measure_speed(
    model: str,
    settings: TranscriptionSettings,
    speech: bytes,
    *,
    environ: Mapping[str, str],
    on_progress: Progress | None = None,
) -> Measurement:
    """Time a model that is on this machine, in a real engine process, on real speech.

    An utterance of 6 s is fed as a microphone would feed it, with partials on the way, and then
    finished; that is done four times (fewer where it takes long), of which the first only warms up.
    Medians count. Temperature fallback is off: how often a text looks bad is a property of the
    speech, not of the machine.

    Args:
        model: a cached name or a directory.
        settings: for device, precision and threads.
        speech: mono 16 kHz int16, at least 6 s.
        environ: where models are looked for.
        on_progress: told how many of the utterances are done.

    Raises:
        EngineError: the model is not here, or is damaged.
        EngineDied: the engine did not survive (too little memory, for one).
        ValueError: ``speech`` is too short.
    """
    identity = model_identity(model, environ)
    engine = EngineProcess(
        EngineSpec(
            engine="faster-whisper",
            model=model,
            language="en",
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            offline=True,
        ),
        metrics=Metrics(),
        python=settings.python,
    )
    info = await engine.start()
    try:
        load = SharedLoad(engine.pid)
        finals, partials = await _time(engine, _pieces(speech), model, on_progress)
        others_share = load.others_share()
        memory = _peak_bytes(engine.pid)
    finally:
        await engine.stop()
    folder = model_folder(model, environ)
    dimensions = whisper_costs.read_dimensions(folder) if folder else None
    if info.device == "cuda" and dimensions is not None:
        # What matters there is the memory of the device, which the kernel does not count.
        weight = _weight_bytes(info.compute_type)
        memory = whisper_costs.memory_bytes(dimensions, weight_bytes=weight)
    return Measurement(
        model=model,
        identity=identity or "",
        conditions=conditions(settings),
        device=info.device,
        compute_type=info.compute_type,
        load_s=_load_s(info),
        cost=Cost(
            final_s=statistics.median(finals),
            partial_s=statistics.median(partials),
            memory_bytes=memory,
        ),
        dimensions=dimensions,
        others_share=others_share,
    )


async def _time(
    engine: EngineProcess, pieces: Sequence[bytes], model: str, on_progress: Progress | None
) -> tuple[list[float], list[float]]:
    """Seconds of finals and of partials; the first utterance is left out where there are more."""
    finals: list[float] = []
    partials: list[list[float]] = []
    began = time.perf_counter()
    for number in range(_FINALS):
        if number and time.perf_counter() - began > _BUDGET_S:
            break
        if on_progress is not None:
            on_progress(model, number, _FINALS)
        final, steps = await _utterance(engine, number, pieces[number % len(pieces)])
        finals.append(final)
        partials.append(steps)
    counted = slice(1, None) if len(finals) > 1 else slice(None)
    return finals[counted], [step for steps in partials[counted] for step in steps]


async def _utterance(
    engine: EngineProcess, session: int, speech: bytes
) -> tuple[float, list[float]]:
    first, step = _byte_count(_HEARD_S), _byte_count(_STEP_S)
    await engine.open(session, SessionOptions(language="en", temperature_fallback=False))
    await engine.feed(session, speech[:first])
    steps = []
    agreed: list[str] = []
    for at in range(first, len(speech), step):
        await engine.feed(session, speech[at : at + step])
        heard = min(at + step, len(speech)) // _SAMPLE_BYTES
        began = time.perf_counter()
        hypothesis = await engine.partial(session, heard, agreed)
        steps.append(time.perf_counter() - began)
        agreed = hypothesis.text.split()[:-_UNSURE_WORDS]
    began = time.perf_counter()
    await engine.exact(session, len(speech) // _SAMPLE_BYTES)
    final = time.perf_counter() - began
    await engine.close(session)
    return final, steps


def _byte_count(seconds: float) -> int:
    return round(seconds * _RATE) * _SAMPLE_BYTES


def _pieces(speech: bytes) -> list[bytes]:
    length = _byte_count(whisper_costs.FINAL_SECONDS)
    found = [speech[at : at + length] for at in range(0, len(speech) - length + 1, length)]
    if not found:
        raise ValueError(f"measuring needs {whisper_costs.FINAL_SECONDS:g} s of speech")
    return found


def _load_s(info: EngineInfo) -> float:
    return info.load_s + info.warm_up_s


def _peak_bytes(pid: int | None) -> float:
    """The most memory that a process has had: by the kernel's account, else what it has now."""
    import psutil

    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return float(psutil.Process(pid).memory_info().rss)


# -- estimates


def model_costs(
    models: Sequence[str],
    measured: Sequence[Measurement],
    calibrated: MachineSpeed | None,
    settings: TranscriptionSettings,
    *,
    environ: Mapping[str, str],
) -> list[ModelCost]:
    """What each model costs here: as measured, else estimated from the most similar one that was,
    else from the speed of the machine (or of a modest GPU where the profile insists on CUDA).

    Models whose dimensions are neither known nor to be read are left out.
    """
    found = []
    for model in models:
        size = dimensions_of(model, environ)
        own = next((one for one in measured if one.model == model), None)
        if own is not None:
            found.append(_model_cost(model, own.cost, size, environ, like=own, measured=True))
            continue
        if size is None:
            continue
        like = _most_similar(size, measured)
        if like is not None and like.dimensions is not None:
            weight = _weight_bytes(like.compute_type)
            weigh = MODEST_GPU if like.device == "cuda" else TYPICAL_SPEED
            scaled = whisper_costs.scaled(
                like.cost, like.dimensions, size, weigh, weight_bytes=weight
            )
            basis = f"from {like.model}"
            found.append(_model_cost(model, scaled, size, environ, like=like, basis=basis))
            continue
        device = "cuda" if settings.device == "cuda" else "cpu"
        speed = MODEST_GPU if device == "cuda" else calibrated or TYPICAL_SPEED
        basis = "from a modest GPU" if device == "cuda" else "from the speed of the processor"
        weight = _weight_bytes(settings.compute_type, device)
        guessed = whisper_costs.cost(size, speed, weight_bytes=weight)
        found.append(_model_cost(model, guessed, size, environ, device=device, basis=basis))
    return found


def dimensions_of(model: str, environ: Mapping[str, str]) -> Dimensions | None:
    """The dimensions of a known name, or of the directory that it is."""
    if not is_directory_name(model):
        return SIZES.get(model)
    folder = model_folder(model, environ)
    return whisper_costs.read_dimensions(folder) if folder else None


def _model_cost(
    model: str,
    cost: Cost,
    size: Dimensions | None,
    environ: Mapping[str, str],
    *,
    like: Measurement | None = None,
    device: str = "cpu",
    measured: bool = False,
    basis: str = "",
) -> ModelCost:
    place = None if is_directory_name(model) else accuracy(model)
    if place is None:
        sizes = {name: dimensions.parameters for name, dimensions in SIZES.items()}
        place = accuracy_by_size(size.parameters if size else 0, sizes)
    return ModelCost(
        name=model,
        accuracy=place,
        real_time_factor=cost.real_time_factor,
        partial_s=cost.partial_s,
        memory_bytes=cost.memory_bytes,
        source="measured" if measured else "estimated",
        here=model_folder(model, environ) is not None,
        languages="en" if _only_english(model, size) else "all",
        device=like.device if like else device,
        basis=basis,
        busy=like is not None and like.others_share > BUSY_SHARE,
    )


def _only_english(model: str, size: Dimensions | None) -> bool:
    if not is_directory_name(model):
        return knows_only_english(model)
    # 51,865 tokens and more are the multilingual vocabularies (Whisper's own tokenizers).
    return size is not None and size.vocabulary < 51_865


def _most_similar(size: Dimensions, measured: Sequence[Measurement]) -> Measurement | None:
    known = [one for one in measured if one.dimensions is not None]

    def distance(one: Measurement) -> float:
        assert one.dimensions is not None
        return abs(math.log(one.dimensions.parameters / size.parameters))

    return min(known, key=distance, default=None)


def _weight_bytes(compute_type: str, device: str = "cpu") -> float:
    if compute_type == "auto":
        return 2.0 if device == "cuda" else 1.0
    if compute_type.startswith("int8"):
        return 1.0
    return 2.0 if compute_type.endswith("16") else 4.0
