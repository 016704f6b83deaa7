"""The languages that Whisper knows, and what people write for them. Pure; imports nothing heavy.

Codes and names are those of Whisper's tokenizer (openai/whisper, ``tokenizer.py``, MIT).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

_NAMES = """
af Afrikaans|am Amharic|ar Arabic|as Assamese|az Azerbaijani|ba Bashkir|be Belarusian|bg Bulgarian
bn Bengali|bo Tibetan|br Breton|bs Bosnian|ca Catalan|cs Czech|cy Welsh|da Danish|de German|el Greek
en English|es Spanish|et Estonian|eu Basque|fa Persian|fi Finnish|fo Faroese|fr French|gl Galician
gu Gujarati|ha Hausa|haw Hawaiian|he Hebrew|hi Hindi|hr Croatian|ht Haitian Creole|hu Hungarian
hy Armenian|id Indonesian|is Icelandic|it Italian|ja Japanese|jw Javanese|ka Georgian|kk Kazakh
km Khmer|kn Kannada|ko Korean|la Latin|lb Luxembourgish|ln Lingala|lo Lao|lt Lithuanian|lv Latvian
mg Malagasy|mi Maori|mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|ms Malay|mt Maltese
my Myanmar|ne Nepali|nl Dutch|nn Nynorsk|no Norwegian|oc Occitan|pa Punjabi|pl Polish|ps Pashto
pt Portuguese|ro Romanian|ru Russian|sa Sanskrit|sd Sindhi|si Sinhala|sk Slovak|sl Slovenian
sn Shona|so Somali|sq Albanian|sr Serbian|su Sundanese|sv Swedish|sw Swahili|ta Tamil|te Telugu
tg Tajik|th Thai|tk Turkmen|tl Tagalog|tr Turkish|tt Tatar|uk Ukrainian|ur Urdu|uz Uzbek
vi Vietnamese|yi Yiddish|yo Yoruba|yue Cantonese|zh Chinese
"""

LANGUAGES: Mapping[str, str] = {
    entry.partition(" ")[0]: entry.partition(" ")[2]
    for line in _NAMES.split("\n")
    for entry in line.split("|")
    if entry
}
"""The English name of each language by its code."""

_ALSO_CALLED: Mapping[str, str] = {
    "burmese": "my",
    "castilian": "es",
    "farsi": "fa",
    "flemish": "nl",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "norwegian nynorsk": "nn",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}

_BY_NAME: Mapping[str, str] = {
    **{name.casefold(): code for code, name in LANGUAGES.items()},
    **_ALSO_CALLED,
}

_MEANT_BY: Mapping[str, str] = {
    "ar": "ara",
    "cs": "cz ces cze čeština",
    "da": "dk dan dansk",
    "de": "at deu ger deutsch",
    "el": "gr ell gre",
    "en": "eng gb us usa",
    "es": "mx spa español espanol castellano",
    "fa": "ir",
    "fi": "fin suomi",
    "fr": "fra fre français francais",
    "he": "il heb iw",
    "hi": "hin",
    "hu": "hun magyar",
    "id": "ind in",
    "it": "ita italiano",
    "ja": "jp jpn",
    "jw": "jv jav",
    "ko": "kr kor",
    "nl": "nld dut nederlands",
    "no": "nb nob nor norsk",
    "pl": "pol polski",
    "pt": "por português portugues",
    "ro": "ron rum",
    "ru": "rus",
    "sq": "alb",
    "sv": "se swe svenska",
    "tl": "fil ph",
    "tr": "tur türkçe",
    "uk": "ua ukr",
    "vi": "vn vie",
    "zh": "cn tw zho chi cmn",
}
_MISTAKEN = {wrong: code for code, words in _MEANT_BY.items() for wrong in words.split()}
"""Codes of countries, longer codes and own names, and the code that whoever writes them means."""

_REGIONAL = re.compile(
    r"(?P<code>[a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_](?:[a-z]{2}|\d{3}))?(?:\.utf-?8)?"
).fullmatch
_BETWEEN = re.compile(r"[,;/+|\s]+").split
_AUTO = "auto"
_EXPECTED = ["a code (`en`)", "its form with a region (`pt-BR`)", "an English name (`German`)"]
_LONGEST_SHOWN = 40

ENGLISH_MODELS = frozenset(
    {
        *("tiny.en", "base.en", "small.en", "medium.en"),
        *("distil-small.en", "distil-medium.en", "distil-large-v2"),
        *("distil-large-v3", "distil-large-v3.5"),
    }
)
"""Models by name that were made for English alone."""

CANTONESE = "yue"
MODELS_WITHOUT_CANTONESE = frozenset({"tiny", "base", "small", "medium", "large-v1", "large-v2"})
"""Models by name that are older than large-v3, which has learnt one language more."""


def language_code(written: str) -> str | None:
    """Whisper's code of the language that ``written`` means for sure; None where that is not clear.

    Blanks around it, upper case, a script or region behind the code and English names are clear.
    """
    plain = " ".join(written.casefold().split())
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    regional = _REGIONAL(plain)
    code = regional["code"] if regional else ""
    return code if code in LANGUAGES else None


def is_auto(written: str) -> bool:
    """Whether ``written`` asks for the language to be found out."""
    return written.strip().casefold() == _AUTO


def wrong_language(written: str, *, auto: bool) -> str | None:
    """What is wrong with ``written`` as a language: one line that says what is expected and near.

    Args:
        written: by a person.
        auto: ``auto`` is expected, too.

    Returns:
        None where it is a language.
    """
    if language_code(written) is not None or (auto and is_auto(written)):
        return None
    *most, last = [*_EXPECTED, f"`{_AUTO}`"] if auto else _EXPECTED
    expected = f"expected {', '.join(most)} or {last}"
    several = _several(written)
    if several:
        what = f"to choose among several, write transcription.languages: [{', '.join(several)}]"
        return f"{_shown(written)} are several: {expected}; {what}"
    near = _near(written)
    hint = f"did you mean {near!r} ({LANGUAGES[near]})? " if near else ""
    return f"{_shown(written)} is no language that Whisper knows: {hint}{expected}"


def _several(written: str) -> list[str]:
    parts = [part for part in _BETWEEN(written) if part]
    codes = [code for part in parts if (code := language_code(part)) is not None]
    return list(dict.fromkeys(codes)) if len(codes) == len(parts) > 1 else []


def _near(written: str) -> str | None:
    plain = " ".join(written.casefold().split())
    first = re.split(r"[-_.]", plain)[0]
    for one in (plain, first):
        if one in _MISTAKEN:
            return _MISTAKEN[one]
    close = difflib.get_close_matches(plain, _BY_NAME, n=1)
    return _BY_NAME[close[0]] if close else None


def _shown(written: str) -> str:
    text = repr(written)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
