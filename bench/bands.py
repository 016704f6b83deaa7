"""Curves over time above each other, on coloured bands that say what state things were in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.plot import Series
from bench.svg import COLOURS, document, line, rectangle, text, ticks

_WIDTH = 960
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 84, 52
_PANEL, _BETWEEN = 200, 34
_UP_TICKS = 6
_ROOM = 0.08  # between the highest point and the legend above it
_TINTS = ("#fbd9bf", "#fdf0b8", "#d8ecd3", "#cfe1f2", "#dadada")


@dataclass(frozen=True, slots=True)
class Band:
    """A state of that name, from one place of the x axis to another."""

    start: float
    end: float
    name: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves with a y axis of their own, from 0 to ``highest`` or to their highest point."""

    y_label: str
    series: Sequence[Series]
    highest: float | None = None


def timeline(
    *,
    title: str,
    subtitle: str,
    x_label: str,
    panels: Sequence[Panel],
    bands: Sequence[Band],
    names: Sequence[str],
) -> str:
    """The panels as the text of an SVG file.

    Args:
        bands: drawn behind all panels, in the colour that belongs to their name.
        names: of all states (five at most), in the order of the legend.
    """
    height = _TOP + len(panels) * _PANEL + (len(panels) - 1) * _BETWEEN + _BOTTOM
    places = [x for panel in panels for one in panel.series for x, _ in one.points]
    places += [edge for band in bands for edge in (band.start, band.end)]
    across = ticks(min(places, default=0.0), max(places, default=0.0), 11)
    low, high = min(places, default=0.0), max(max(places, default=0.0), across[0] + 1e-9)

    def x_of(value: float) -> float:
        return _LEFT + (value - low) / ((high - low) or 1.0) * (_WIDTH - _LEFT - _RIGHT)

    tints = dict(zip(names, _TINTS, strict=False))
    parts = [
        text(_LEFT, 24, title, size=16, weight="bold"),
        text(_LEFT, 42, subtitle, fill="#555555"),
        *_legend_of_bands(names, tints),
    ]
    for number, panel in enumerate(panels):
        top = _TOP + number * (_PANEL + _BETWEEN)
        for band in bands:
            start, end = x_of(band.start), x_of(band.end)
            parts.append(rectangle(start, top, end - start, _PANEL, tints[band.name]))
        parts += _panel(panel, top, x_of, first_colour=sum(len(p.series) for p in panels[:number]))
    bottom = height - _BOTTOM
    for value in across:
        if low <= value <= high:
            x = x_of(value)
            parts.append(line(x, bottom, x, bottom + 5, "#333333"))
            parts.append(text(x, bottom + 19, f"{value:g}", anchor="middle", fill="#333333"))
    parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, height - 12, x_label, anchor="middle"))
    return document(_WIDTH, height, parts)


def _legend_of_bands(names: Sequence[str], tints: Mapping[str, str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = _LEFT + 110 * number
        parts.append(rectangle(x, 54, 26, 14, tints[name]))
        parts.append(text(x + 32, 66, name))
    return parts


def _panel(
    panel: Panel, top: float, x_of: Callable[[float], float], *, first_colour: int
) -> list[str]:
    highest = panel.highest or max((y for one in panel.series for _, y in one.points), default=0.0)
    up = ticks(0.0, (1 + _ROOM) * highest, _UP_TICKS)
    bottom, right = top + _PANEL, _WIDTH - _RIGHT

    def y_of(value: float) -> float:
        return bottom - min(1.0, value / up[-1]) * _PANEL

    parts = [text(20, (top + bottom) / 2, panel.y_label, anchor="middle", turned=True)]
    for value in up:
        y = y_of(value)
        parts.append(line(_LEFT, y, right, y, "#ffffff"))
        parts.append(text(_LEFT - 8, y + 4, f"{value:g}", anchor="end", fill="#333333"))
    for number, one in enumerate(panel.series):
        colour = COLOURS[(first_colour + number) % len(COLOURS)]
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in one.points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" '
            'stroke-linejoin="round"/>'
        )
        x = right - 190 * (len(panel.series) - number)
        parts.append(line(x, top - 8, x + 24, top - 8, colour, width=2.2))
        parts.append(text(x + 30, top - 4, one.name))
    parts.append(line(_LEFT, top, _LEFT, bottom, "#333333"))
    parts.append(line(_LEFT, bottom, right, bottom, "#333333"))
    return parts
