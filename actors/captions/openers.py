"""Words before which a text without punctuation is best broken, by language. Pure data."""

from __future__ import annotations

from enum import IntEnum


class Opens(IntEnum):
    """What a word begins; the greater, the better the place before it."""

    NOTHING = 0
    PHRASE = 1
    CLAUSE = 2


_CLAUSES = {
    "en": "that which who whom whose because although though while when where if unless until "
    "since whether but so",
    "de": "dass weil obwohl während wenn als ob damit sondern aber denn welche welcher welches",
    "fr": "que qu qui dont où parce puisque quoique lorsque quand si mais car donc",
    "es": "que quien quienes cuyo donde porque aunque mientras cuando si pero pues sino",
}
_PHRASES = {
    "en": "and or nor than as of to in on at by for from with without into over under about after "
    "before through between among against during toward towards upon",
    "de": "und oder als in im an am auf aus bei beim mit nach von vom zu zum zur für durch gegen "
    "ohne um über unter vor hinter zwischen seit wegen",
    "fr": "et ou ni de d du des à au aux dans en sur sous par pour avec sans chez vers entre avant "
    "après depuis pendant contre",
    "es": "y e o u ni de del a al en con sin por para sobre entre hasta desde hacia según contra "
    "durante",
}
_OPENERS = {
    language: {
        **dict.fromkeys(_PHRASES[language].split(), Opens.PHRASE),
        **dict.fromkeys(clauses.split(), Opens.CLAUSE),
    }
    for language, clauses in _CLAUSES.items()
}


def opener(word: str, language: str) -> Opens:
    """What ``word`` begins, in a language by its code; nothing is known of most languages."""
    words = _OPENERS.get(language.partition("-")[0])
    stem = word.casefold().lstrip('"“‘«(').partition("'")[0].partition("’")[0]
    return words.get(stem, Opens.NOTHING) if words else Opens.NOTHING
