"""Pieces of an SVG file, written by hand: no library, opens in any browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # apart for colour-blind eyes, too
_TICKS = 9
_NARROWEST = 1e-6  # an axis needs some length even where all is zero


def document(width: int, height: int, parts: Sequence[str]) -> str:
    """The text of a file with ``parts`` on white."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-size="12" '
        "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">"
    )
    return "\n".join([head, rectangle(0, 0, width, height, "#ffffff"), *parts, "</svg>", ""])


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``low`` and ``high``."""
    rough = max(high - low, _NARROWEST) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [round(step * number, 12) for number in range(first, last + 1)]


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str,
    *,
    dashed: bool = False,
    width: float = 1,
) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    fill: str = "#111111",
    size: int = 12,
    weight: str = "normal",
    turned: bool = False,
) -> str:
    """Words at a place; ``anchor`` is which part of them stands there."""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}" '
        f'font-weight="{weight}"{turn}>{escape(words)}</text>'
    )
