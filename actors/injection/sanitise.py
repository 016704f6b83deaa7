"""Recognised text is data: what of it may reach a keyboard, and as which keys. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from vivavoce.config.injection import InjectionSettings

_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_AROUND_BREAKS = re.compile(r"[ \t]*\n\s*")
_SURROGATES = re.compile("[\ud800-\udfff]")

# Bidirectional embeddings, overrides and isolates can make a text read as another one, and no
# speech contains them; direction marks (U+200E, U+200F, U+061C) are part of ordinary Arabic and
# Hebrew text. Byte order marks, annotation marks and noncharacters are no text at all, and NUL is
# none even where control characters are.
_NEVER = re.compile(
    "[\0\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 65_536))
    + "]"
)
_CONTROL = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f]")

_KEYS = {"\t": "tab", "\x1b": "escape", "\b": "backspace", "\x7f": "delete"}


class Keys(msgspec.Struct, frozen=True):
    """Keys to press where a character cannot be typed, as ``shift+enter``."""

    keys: str


Part: TypeAlias = str | Keys


def clean(text: str, settings: InjectionSettings) -> str:
    """The text without what must not be typed.

    Line breaks of all kinds become ``\\n``, or one space where line breaks are not typed. Control
    characters (C0, C1, DEL) are removed unless the profile wants them: of an escape sequence, the
    harmless rest stays as text. A tab becomes a space. Lone surrogates become U+FFFD.
    """
    text = _BREAKS.sub("\n", _SURROGATES.sub("\ufffd", text))
    text = _NEVER.sub("", text)
    if not settings.control_characters:
        text = _CONTROL.sub("", text).replace("\t", " ")
    if settings.newlines == "space":
        text = _AROUND_BREAKS.sub(" ", text)
    return text


def parts(text: str, settings: InjectionSettings, *, has_keys: bool) -> Iterator[tuple[Part, int]]:
    """Cleaned text as what a back end is given, each part with the characters that it stands for.

    Enter, Shift+Enter and control characters are keys (xdotool would type a line break as the key
    Linefeed, which no application knows); without keys (a file, a program) they are only
    characters.
    """
    if not has_keys:
        if text:
            yield text, len(text)
        return
    begin = 0
    for at, character in enumerate(text):
        keys = _keys_of(character, settings)
        if keys is not None:
            if begin < at:
                yield text[begin:at], at - begin
            yield Keys(keys), 1
            begin = at + 1
    if begin < len(text):
        yield text[begin:], len(text) - begin


def _keys_of(character: str, settings: InjectionSettings) -> str | None:
    if character == "\n":
        return "shift+enter" if settings.newlines == "shift_enter" else "enter"
    if character in _KEYS:
        return _KEYS[character]
    if character < " ":
        return f"ctrl+{chr(ord(character) + 96)}"  # as terminals have it: Ctrl+A is 1
    return None
