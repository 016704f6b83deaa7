"""Where sound comes from: microphones, recordings, standard input, arrays."""

from vivavoce.actors.capture.actor import CaptureActor
from vivavoce.actors.capture.factory import make_source
from vivavoce.actors.capture.push import PushSource

__all__ = ["CaptureActor", "PushSource", "make_source"]
