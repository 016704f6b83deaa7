"""vivavoce: local, low-power, real-time speech-to-text.

The public names, in the order in which most programs need them:

- :class:`Pipeline` — the pipeline as an asynchronous context manager; iterate ``events()``.
- :func:`listen` — finals without asyncio.
- :class:`PushSource` — a source that your program feeds with arrays.
- :class:`Actor` — the base of your own actors, for :meth:`Pipeline.insert`.
- the messages: captions (:class:`Partial`, :class:`Final`, :class:`Revision`, :class:`Gap`, …), and
  what flows before them (:class:`AudioBlock`, :class:`SpeechStarted`, …).
- :class:`VivavoceError` — the base of all that can go wrong, in one line each:
  :class:`ProfileError`, :class:`SourceError`, :class:`EngineError`, :class:`ActorFailed`, …
- ``vivavoce.testing`` — a virtual clock, a scripted engine and some speech, to test your actors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivavoce.actors.captions.writer import OutputClosed, OutputFailed
    from vivavoce.actors.capture import PushSource
    from vivavoce.actors.capture.source import Source, SourceError
    from vivavoce.actors.history.errors import HistoryError
    from vivavoce.actors.monitor.advice import Recommendation
    from vivavoce.actors.monitor.targets import Finding
    from vivavoce.actors.transcription.engines.base import EngineDied, EngineError
    from vivavoce.actors.transcription.interpreter import InterpreterError
    from vivavoce.actors.vad.silero import DetectorMissing
    from vivavoce.assembly import Pipeline, PipelineStateError
    from vivavoce.config import Profile, ProfileError, VivavoceError, load_profile
    from vivavoce.listening import listen
    from vivavoce.pipeline.actor import Actor, ActorContext, ActorHandle
    from vivavoce.pipeline.channel import ChannelClosed, Overload, WouldBlock
    from vivavoce.pipeline.fanout import Subscription
    from vivavoce.pipeline.ledger import LedgerError, LedgerSummary
    from vivavoce.pipeline.messages import (
        SAMPLE_RATE,
        Audio,
        AudioBlock,
        Caption,
        EndOfStream,
        EndReason,
        Final,
        Focus,
        Gap,
        GapReason,
        Latency,
        Partial,
        Pcm,
        PowerChanged,
        PowerMode,
        RecordingEnded,
        RecordingStarted,
        Revision,
        Speech,
        SpeechAudio,
        SpeechEnded,
        SpeechFocused,
        SpeechPaused,
        SpeechResumed,
        SpeechStarted,
        Word,
        seconds,
    )
    from vivavoce.pipeline.supervisor import ActorFailed
    from vivavoce.statistics import PipelineStatistics
    from vivavoce.trigger import Trigger

__version__ = "0.1.0"

# Public names are found on first use, so that importing the package costs nothing: process start
# to first captured sample is a budget.
_HOMES = {
    "OutputClosed": "vivavoce.actors.captions.writer",
    "OutputFailed": "vivavoce.actors.captions.writer",
    "PushSource": "vivavoce.actors.capture",
    "Source": "vivavoce.actors.capture.source",
    "SourceError": "vivavoce.actors.capture.source",
    "HistoryError": "vivavoce.actors.history.errors",
    "Recommendation": "vivavoce.actors.monitor.advice",
    "Finding": "vivavoce.actors.monitor.targets",
    "EngineDied": "vivavoce.actors.transcription.engines.base",
    "EngineError": "vivavoce.actors.transcription.engines.base",
    "InterpreterError": "vivavoce.actors.transcription.interpreter",
    "DetectorMissing": "vivavoce.actors.vad.silero",
    "Pipeline": "vivavoce.assembly",
    "PipelineStateError": "vivavoce.assembly",
    "Profile": "vivavoce.config",
    "ProfileError": "vivavoce.config",
    "VivavoceError": "vivavoce.config",
    "load_profile": "vivavoce.config",
    "listen": "vivavoce.listening",
    "Actor": "vivavoce.pipeline.actor",
    "ActorContext": "vivavoce.pipeline.actor",
    "ActorHandle": "vivavoce.pipeline.actor",
    "ChannelClosed": "vivavoce.pipeline.channel",
    "Overload": "vivavoce.pipeline.channel",
    "WouldBlock": "vivavoce.pipeline.channel",
    "Subscription": "vivavoce.pipeline.fanout",
    "LedgerError": "vivavoce.pipeline.ledger",
    "LedgerSummary": "vivavoce.pipeline.ledger",
    "Audio": "vivavoce.pipeline.messages",
    "AudioBlock": "vivavoce.pipeline.messages",
    "Caption": "vivavoce.pipeline.messages",
    "EndOfStream": "vivavoce.pipeline.messages",
    "EndReason": "vivavoce.pipeline.messages",
    "Final": "vivavoce.pipeline.messages",
    "Focus": "vivavoce.pipeline.messages",
    "Gap": "vivavoce.pipeline.messages",
    "GapReason": "vivavoce.pipeline.messages",
    "Latency": "vivavoce.pipeline.messages",
    "Partial": "vivavoce.pipeline.messages",
    "Pcm": "vivavoce.pipeline.messages",
    "PowerChanged": "vivavoce.pipeline.messages",
    "PowerMode": "vivavoce.pipeline.messages",
    "RecordingEnded": "vivavoce.pipeline.messages",
    "RecordingStarted": "vivavoce.pipeline.messages",
    "Revision": "vivavoce.pipeline.messages",
    "SAMPLE_RATE": "vivavoce.pipeline.messages",
    "Speech": "vivavoce.pipeline.messages",
    "SpeechAudio": "vivavoce.pipeline.messages",
    "SpeechEnded": "vivavoce.pipeline.messages",
    "SpeechFocused": "vivavoce.pipeline.messages",
    "SpeechPaused": "vivavoce.pipeline.messages",
    "SpeechResumed": "vivavoce.pipeline.messages",
    "SpeechStarted": "vivavoce.pipeline.messages",
    "Word": "vivavoce.pipeline.messages",
    "seconds": "vivavoce.pipeline.messages",
    "ActorFailed": "vivavoce.pipeline.supervisor",
    "PipelineStatistics": "vivavoce.statistics",
    "Trigger": "vivavoce.trigger",
}

__all__ = [
    "SAMPLE_RATE",
    "Actor",
    "ActorContext",
    "ActorFailed",
    "ActorHandle",
    "Audio",
    "AudioBlock",
    "Caption",
    "ChannelClosed",
    "DetectorMissing",
    "EndOfStream",
    "EndReason",
    "EngineDied",
    "EngineError",
    "Final",
    "Finding",
    "Focus",
    "Gap",
    "GapReason",
    "HistoryError",
    "InterpreterError",
    "Latency",
    "LedgerError",
    "LedgerSummary",
    "OutputClosed",
    "OutputFailed",
    "Overload",
    "Partial",
    "Pcm",
    "Pipeline",
    "PipelineStateError",
    "PipelineStatistics",
    "PowerChanged",
    "PowerMode",
    "Profile",
    "ProfileError",
    "PushSource",
    "Recommendation",
    "RecordingEnded",
    "RecordingStarted",
    "Revision",
    "Source",
    "SourceError",
    "Speech",
    "SpeechAudio",
    "SpeechEnded",
    "SpeechFocused",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
    "Subscription",
    "Trigger",
    "VivavoceError",
    "Word",
    "WouldBlock",
    "listen",
    "load_profile",
    "seconds",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'vivavoce' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
