"""How late captions are, by what they carry themselves."""

from __future__ import annotations

from vivavoce.pipeline.messages import Final, Partial, seconds
from vivavoce.pipeline.metrics import Metrics


def observe_latency(metrics: Metrics, caption: Partial | Final, elapsed: float) -> None:
    """Note the latencies of a caption that arrived ``elapsed`` seconds after capture began.

    ``vivavoce_partial_shown_seconds``: newest audio in a partial → here.
    ``vivavoce_speech_to_final_seconds``: end of the speech → its final, here. Of that,
    ``vivavoce_stage_seconds{stage=}``: ``endpoint`` (silence heard until the end was decided),
    ``queue`` (waiting for the engine), ``decode`` (its own work), ``delivery`` (cleanup and the
    way to here). What comes before them, ``capture``, is measured by the speech detector's actor.
    """
    if isinstance(caption, Partial):
        metrics.histogram("vivavoce_partial_shown_seconds").observe(
            max(0.0, elapsed - seconds(caption.end))
        )
        return
    latency = caption.latency
    total = max(0.0, elapsed - seconds(caption.end))
    metrics.histogram("vivavoce_speech_to_final_seconds").observe(total)
    stages = {
        "endpoint": latency.endpoint,
        "queue": latency.queued,
        "decode": latency.decode,
        "delivery": max(0.0, total - latency.total),
    }
    for stage, taken in stages.items():
        metrics.histogram("vivavoce_stage_seconds", stage=stage).observe(max(0.0, taken))
