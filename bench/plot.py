"""A line chart as SVG, written by hand: no library, opens in any browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vivavoce.bench.svg import COLOURS, document, line, text, ticks

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 58, 60
_ROOM = 0.06  # for the labels of the outermost points


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
    points = [point for one in series for point in one.points] or [(0.0, 0.0)]
    across = ticks(*(x_range or _range([x for x, _ in points], "x", marks)))
    up = ticks(*(y_range or _range([y for _, y in points], "y", marks)))

    def x_of(value: float) -> float:
        share = (value - across[0]) / (across[-1] - across[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        share = (value - up[0]) / (up[-1] - up[0])
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<clipPath id="inside"><rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}"/></clipPath>',
        text(_LEFT, 24, title, size=16, weight="bold"),
        text(_LEFT, 42, subtitle, fill="#555555"),
    ]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value in across:
        x = x_of(value)
        parts.append(line(x, _TOP, x, bottom, "#e4e4e4"))
        parts.append(text(x, bottom + 18, f"{value:g}", anchor="middle", fill="#333333"))
    for value in up:
        y = y_of(value)
        parts.append(line(_LEFT, y, right, y, "#e4e4e4"))
        parts.append(text(_LEFT - 8, y + 4, f"{value:g}", anchor="end", fill="#333333"))
    parts += [
        line(_LEFT, _TOP, _LEFT, bottom, "#333333"),
        line(_LEFT, bottom, right, bottom, "#333333"),
        text((_LEFT + right) / 2, _HEIGHT - 18, x_label, anchor="middle"),
        text(20, (_TOP + bottom) / 2, y_label, anchor="middle", turned=True),
    ]
    for mark in marks:
        if mark.axis == "x":
            x = x_of(mark.at)
            parts.append(line(x, _TOP, x, bottom, "#777777", dashed=True))
            parts.append(text(x + 4, bottom - 6, mark.name, fill="#777777", size=11))
        else:
            y = y_of(mark.at)
            parts.append(line(_LEFT, y, right, y, "#777777", dashed=True))
            parts.append(text(_LEFT + 6, y - 5, mark.name, fill="#777777", size=11))
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        placed = [(x_of(x), y_of(y)) for x, y in one.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2" '
            'stroke-linejoin="round" clip-path="url(#inside)"/>'
        )
        for (x, y), label in zip(placed, one.labels, strict=False):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
            parts.append(text(x + 7, y - 7, label, size=11, fill=colour))
        row = (
            _TOP + 18 + 18 * number
            if legend == "top"
            else bottom - 12 - 18 * (len(series) - 1 - number)
        )
        parts.append(line(right - 176, row - 4, right - 152, row - 4, colour, width=2.2))
        parts.append(text(right - 146, row, one.name))
    return document(_WIDTH, _HEIGHT, parts)


def _range(values: Sequence[float], axis: str, marks: Sequence[Mark]) -> tuple[float, float]:
    wanted = [*values, *(mark.at for mark in marks if mark.axis == axis), 0.0]
    low, high = min(wanted), max(wanted)
    return low, high + _ROOM * (high - low)


__all__ = ["Mark", "Series", "chart", "ticks"]
