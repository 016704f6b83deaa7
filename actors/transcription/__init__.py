"""Speech to text: the actor, its policies, and the engines in their own process."""

from vivavoce.actors.transcription.actor import TranscriptionActor
from vivavoce.actors.transcription.selection import Starters, start_selected

__all__ = ["Starters", "TranscriptionActor", "start_selected"]
