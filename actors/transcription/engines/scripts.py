"""Scripts that are written without spaces between words."""

from __future__ import annotations


def spaceless(letter: str) -> bool:
    """Whether a letter is Chinese, Japanese, Thai, Lao, Khmer or Burmese."""
    return bool(letter) and (
        "\u0e00" <= letter <= "\u0eff"
        or "\u1000" <= letter <= "\u109f"
        or "\u1780" <= letter <= "\u17ff"
        or "\u2e80" <= letter <= "\u9fff"
        or "\uff00" <= letter <= "\uff65"
    )
