"""When somebody speaks: an energy gate, Silero, and a pure segmenter."""

from vivavoce.actors.vad.actor import VadActor

__all__ = ["VadActor"]
