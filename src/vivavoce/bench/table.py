"""Results and comparisons as plain aligned text."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set

from vivavoce.bench.results import Comparison, Figure, Result, Table

_FIGURE_COLUMNS = ("figure", "value", "unit", "p50", "p99", "n", "budget", "verdict")
_COMPARISON_COLUMNS = ("benchmark", "figure", "before", "now", "unit", "worse by", "verdict")
_LEFT = frozenset({"benchmark", "figure", "unit", "verdict"})


def number(value: float | None) -> str:
    """A figure with about four significant digits; empty for None."""
    if value is None:
        return ""
    if math.isinf(value):
        return "∞"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 10 else 3 if abs(value) >= 0.1 else 5
    return f"{value:.{digits}f}"


def render(result: Result) -> str:
    """A heading, the table of figures, tables of runs beside each other, and the notes."""
    machine = result.machine
    heading = (
        f"{result.name}{' (quick)' if result.quick else ''} — {result.date}, "
        f"{machine.cores} cores, {machine.python}, {machine.platform}, load {machine.load:g}"
    )
    rows = [_row(figure) for figure in result.figures]
    table = _align(_FIGURE_COLUMNS, rows) if rows else ["no figures"]
    for beside in result.tables:
        table += ["", f"  {beside.title}", *_render_rows(beside)]
    return "\n".join([heading, *table, *(f"  · {note}" for note in result.notes)])


def _render_rows(table: Table) -> list[str]:
    rows = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in table.rows]
    return _align(table.columns, rows, left={table.columns[0]})


def render_comparison(
    comparisons: Sequence[Comparison], missing: Sequence[str], factor: float
) -> str:
    """The comparison table, what is missing, and one line that sums it up."""
    rows = [
        (
            item.benchmark,
            item.figure,
            number(item.before),
            number(item.now),
            item.unit,
            f"{number(item.worse)}×",
            _comparison_verdict(item, factor),
        )
        for item in comparisons
    ]
    regressed = sum(item.regressed for item in comparisons)
    judged = sum(item.judged for item in comparisons)
    lines = _align(_COMPARISON_COLUMNS, rows) if rows else []
    lines += [f"missing: {line}" for line in missing]
    lines.append(
        f"{regressed} of {judged} judged figures are worse by more than {factor:g}×"
        + (
            f" ({len(comparisons) - judged} not judged: another machine or another length of run)"
            if judged < len(comparisons)
            else ""
        )
    )
    return "\n".join(lines)


def _comparison_verdict(item: Comparison, factor: float) -> str:
    if item.regressed:
        return "REGRESSED"
    if not item.judged:
        return "not judged"
    return "better" if item.worse < 1 / factor else "same"


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≤" if figure.better == "lower" else "≥"
    budget = "" if figure.budget is None else f"{sign} {number(figure.budget)}"
    met = {True: "met", False: "MISSED", None: ""}[figure.met]
    unit = f"{figure.unit} {figure.ratio_to}" if figure.ratio_to else figure.unit
    return (
        figure.name,
        number(figure.value),
        unit,
        number(figure.p50),
        number(figure.p99),
        str(figure.samples),
        budget,
        ", ".join(part for part in (met, figure.verdict) if part),
    )


def _align(
    columns: Sequence[str], rows: Sequence[Sequence[str]], left: Set[str] = _LEFT
) -> list[str]:
    widths = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    lines = []
    for cells in (columns, ["─" * width for width in widths], *rows):
        padded = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        ]
        lines.append("  " + "  ".join(padded).rstrip())
    return lines
