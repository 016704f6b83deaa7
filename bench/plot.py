"""A line chart as SVG, written by hand: no library, opens in any browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 58, 60
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # apart for colour-blind eyes, too
_TICKS = 9
_ROOM = 0.06  # for the labels of the outermost points
_NARROWEST = 1e-6  # an axis needs some length even where all is zero


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points ``(x, y)``; ``labels``, one for each point, make the points visible."""

    name: str
    points: Sequence[tuple[float, float]]
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A dashed line at a place of the x or y axis, with its meaning."""

    axis: str
    at: float
    name: str


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``low`` and ``high``."""
    rough = max(high - low, _NARROWEST) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [round(step * number, 12) for number in range(first, last + 1)]


def chart(
    *,
    title: str,
    subtitle: str,
    x_label: str,
    y_label: str,
    series: Sequence[Series],
    marks: Sequence[Mark] = (),
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    legend: Literal["top", "bottom"] = "bottom",
) -> str:
    """The chart as the text of an SVG file.

    The axes enclose all points and marks, or the ranges that are given: what is beyond is cut off.
    ``legend`` is the corner at the right where the names of the series stand.
    """
    points = [point for line in series for point in line.points] or [(0.0, 0.0)]
    across = ticks(*(x_range or _range([x for x, _ in points], "x", marks)))
    up = ticks(*(y_range or _range([y for _, y in points], "y", marks)))

    def x_of(value: float) -> float:
        share = (value - across[0]) / (across[-1] - across[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        share = (value - up[0]) / (up[-1] - up[0])
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-size="12" '
        "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">",
        f'<clipPath id="inside"><rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}"/></clipPath>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 24, title, size=16, weight="bold"),
        _text(_LEFT, 42, subtitle, fill="#555555"),
    ]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value in across:
        x = x_of(value)
        parts.append(_line(x, _TOP, x, bottom, "#e4e4e4"))
        parts.append(_text(x, bottom + 18, f"{value:g}", anchor="middle", fill="#333333"))
    for value in up:
        y = y_of(value)
        parts.append(_line(_LEFT, y, right, y, "#e4e4e4"))
        parts.append(_text(_LEFT - 8, y + 4, f"{value:g}", anchor="end", fill="#333333"))
    parts += [
        _line(_LEFT, _TOP, _LEFT, bottom, "#333333"),
        _line(_LEFT, bottom, right, bottom, "#333333"),
        _text((_LEFT + right) / 2, _HEIGHT - 18, x_label, anchor="middle"),
        _text(20, (_TOP + bottom) / 2, y_label, anchor="middle", turned=True),
    ]
    for mark in marks:
        if mark.axis == "x":
            x = x_of(mark.at)
            parts.append(_line(x, _TOP, x, bottom, "#777777", dashed=True))
            parts.append(_text(x + 4, bottom - 6, mark.name, fill="#777777", size=11))
        else:
            y = y_of(mark.at)
            parts.append(_line(_LEFT, y, right, y, "#777777", dashed=True))
            parts.append(_text(_LEFT + 6, y - 5, mark.name, fill="#777777", size=11))
    for number, line in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [(x_of(x), y_of(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2" '
            'stroke-linejoin="round" clip-path="url(#inside)"/>'
        )
        for (x, y), label in zip(placed, line.labels, strict=False):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
            parts.append(_text(x + 7, y - 7, label, size=11, fill=colour))
        row = (
            _TOP + 18 + 18 * number
            if legend == "top"
            else bottom - 12 - 18 * (len(series) - 1 - number)
        )
        parts.append(_line(right - 176, row - 4, right - 152, row - 4, colour, width=2.2))
        parts.append(_text(right - 146, row, line.name))
    return "\n".join([*parts, "</svg>", ""])


def _range(values: Sequence[float], axis: str, marks: Sequence[Mark]) -> tuple[float, float]:
    wanted = [*values, *(mark.at for mark in marks if mark.axis == axis), 0.0]
    low, high = min(wanted), max(wanted)
    return low, high + _ROOM * (high - low)


def _line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str,
    *,
    dashed: bool = False,
    width: float = 1,
) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    fill: str = "#111111",
    size: int = 12,
    weight: str = "normal",
    turned: bool = False,
) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}" '
        f'font-weight="{weight}"{turn}>{escape(text)}</text>'
    )
