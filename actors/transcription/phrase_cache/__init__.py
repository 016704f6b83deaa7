"""Repeated sounds that need not be decoded again: pure, without an actor, a loop, or a clock."""

from vivavoce.actors.transcription.phrase_cache.cache import (
    CacheEntry,
    CacheStatistics,
    Hit,
    PhraseCache,
)
from vivavoce.actors.transcription.phrase_cache.placement import placed

__all__ = ["CacheEntry", "CacheStatistics", "Hit", "PhraseCache", "placed"]
