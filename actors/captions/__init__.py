"""How captions look: a live view, plain lines, JSONL, SubRip, WebVTT."""

from vivavoce.actors.captions.actor import CaptionActor
from vivavoce.actors.captions.factory import make_writer

__all__ = ["CaptionActor", "make_writer"]
