"""Speeds of models and machines that nobody needs to measure."""

from vivavoce.actors.transcription.speed_cache import Measurement, conditions, model_identity
from vivavoce.actors.transcription.whisper_costs import SIZES, Cost, MachineSpeed
from vivavoce.config.schema import TranscriptionSettings

ON_CPU = TranscriptionSettings(model="auto", device="cpu", language="en")
FAST = MachineSpeed(flops=2e13, bandwidth=1e12)
SLOW = MachineSpeed(flops=2e10, bandwidth=4e9)


def measurement(environ: dict[str, str], model: str, final_s: float, **more: object) -> Measurement:
    return Measurement(
        **{
            "model": model,
            "identity": model_identity(model, environ) or "",
            "conditions": conditions(ON_CPU),
            "device": "cpu",
            "compute_type": "int8",
            "load_s": 0.2,
            "cost": Cost(final_s=final_s, partial_s=final_s / 5, memory_bytes=2e8),
            "dimensions": SIZES.get(model),
            **more,
        }
    )
