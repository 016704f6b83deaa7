"""What a person types into a search becomes a query of FTS5 that is never wrong. Pure.

The syntax of FTS5: https://sqlite.org/fts5.html#full_text_query_syntax
"""

from __future__ import annotations

import re

_PIECE = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')


def match_expression(text: str) -> str:
    """All words of ``text``, in any order and place; the last one may be the beginning of a word.

    ``"two words"`` are meant side by side, and ``begin*`` is the beginning of a word. Everything
    else (``AND``, ``-``, ``:``, brackets) is text. Empty where there is nothing to look for.
    """
    found = [
        (phrase, bool(star)) if word is None else (word.rstrip("*"), word.endswith("*"))
        for phrase, star, word in (
            (match[1] or "", match[2], match[3]) for match in _PIECE.finditer(text)
        )
    ]
    # A NUL ends the query for FTS5, and a lone surrogate cannot be handed to SQLite.
    pieces = [(_speakable(piece), prefix) for piece, prefix in found]
    pieces = [(piece, prefix) for piece, prefix in pieces if piece.strip()]
    if pieces and not text.rstrip().endswith('"'):
        pieces[-1] = (pieces[-1][0], True)
    return " AND ".join(f'"{piece}"' + (" *" if prefix else "") for piece, prefix in pieces)


def column_expression(expression: str, application: str | None) -> str:
    """The query for the texts alone; where one is named, for those of an application.

    Its name is found by the words in it: who asks has to compare it besides.
    """
    found = f"{{text}} : ({expression})"
    name = _speakable(application or "")
    return f'{found} AND {{application}} : "{name}"' if name.strip() else found


def _speakable(text: str) -> str:
    """Only what can be part of a word; signs are blanks to the index, too."""
    return (
        "".join(c if c.isalnum() or c in "'’" or ord(c) > 127 else " " for c in text)
        .encode(errors="ignore")
        .decode()
    )
