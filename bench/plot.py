"""A line chart as SVG, written by hand: no library, opens in any browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.svg import COLOURS, document, line, text, ticks

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 58, 60  # margins
_BELOW, _BEYOND = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT  # where the axes end
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


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where values of the axes are in the picture; an axis goes from its first tick to its last."""

    across: Sequence[float]
    up: Sequence[float]

    def x(self, value: float) -> float:
        share = (value - self.across[0]) / (self.across[-1] - self.across[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.up[0]) / (self.up[-1] - self.up[0])
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


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
    plane = _Plane(
        ticks(*(x_range or _range([x for x, _ in points], "x", marks))),
        ticks(*(y_range or _range([y for _, y in points], "y", marks))),
    )
    first_row = _TOP + 18 if legend == "top" else _BELOW - 12 - 18 * (len(series) - 1)
    parts = [
        f'<clipPath id="inside"><rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}"/></clipPath>',
        text(_LEFT, 24, title, size=16, weight="bold"),
        text(_LEFT, 42, subtitle, fill="#555555"),
        *_axes(plane, x_label, y_label),
    ]
    for mark in marks:
        parts += _dashed(plane, mark)
    for number, one in enumerate(series):
        parts += _curve(plane, one, COLOURS[number % len(COLOURS)], first_row + 18 * number)
    return document(_WIDTH, _HEIGHT, parts)


def _axes(plane: _Plane, x_label: str, y_label: str) -> list[str]:
    parts = []
    for value in plane.across:
        x = plane.x(value)
        parts.append(line(x, _TOP, x, _BELOW, "#e4e4e4"))
        parts.append(text(x, _BELOW + 18, f"{value:g}", anchor="middle", fill="#333333"))
    for value in plane.up:
        y = plane.y(value)
        parts.append(line(_LEFT, y, _BEYOND, y, "#e4e4e4"))
        parts.append(text(_LEFT - 8, y + 4, f"{value:g}", anchor="end", fill="#333333"))
    return [
        *parts,
        line(_LEFT, _TOP, _LEFT, _BELOW, "#333333"),
        line(_LEFT, _BELOW, _BEYOND, _BELOW, "#333333"),
        text((_LEFT + _BEYOND) / 2, _HEIGHT - 18, x_label, anchor="middle"),
        text(20, (_TOP + _BELOW) / 2, y_label, anchor="middle", turned=True),
    ]


def _dashed(plane: _Plane, mark: Mark) -> list[str]:
    if mark.axis == "x":
        x = plane.x(mark.at)
        return [
            line(x, _TOP, x, _BELOW, "#777777", dashed=True),
            text(x + 4, _BELOW - 6, mark.name, fill="#777777", size=11),
        ]
    y = plane.y(mark.at)
    return [
        line(_LEFT, y, _BEYOND, y, "#777777", dashed=True),
        text(_LEFT + 6, y - 5, mark.name, fill="#777777", size=11),
    ]


def _curve(plane: _Plane, one: Series, colour: str, row: float) -> list[str]:
    """The line, its labelled points, and its name at the height ``row`` of the legend."""
    placed = [(plane.x(x), plane.y(y)) for x, y in one.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    parts = [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2" '
        'stroke-linejoin="round" clip-path="url(#inside)"/>'
    ]
    for (x, y), label in zip(placed, one.labels, strict=False):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(text(x + 7, y - 7, label, size=11, fill=colour))
    return [
        *parts,
        line(_BEYOND - 176, row - 4, _BEYOND - 152, row - 4, colour, width=2.2),
        text(_BEYOND - 146, row, one.name),
    ]


def _range(values: Sequence[float], axis: str, marks: Sequence[Mark]) -> tuple[float, float]:
    wanted = [*values, *(mark.at for mark in marks if mark.axis == axis), 0.0]
    low, high = min(wanted), max(wanted)
    return low, high + _ROOM * (high - low)


__all__ = ["Mark", "Series", "chart", "ticks"]
