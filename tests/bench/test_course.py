"""Memory over time: the points, the slope and how sure it is, and the picture of it."""

import random
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from support.waiting import wait_until

from bench import course
from bench.bands import Band, Panel, timeline
from bench.course import Course, Point, binned, modes_of, trend
from bench.options import DeveloperOptions
from bench.plot import Series
from bench.soak_report import Soaked, drawn, figures, table
from vivavoce.bench import proc
from vivavoce.bench.child import Run
from vivavoce.bench.measure import theil_sen_interval

SVG = "{http://www.w3.org/2000/svg}"


def test_the_interval_holds_the_slope_and_narrows_with_more_points() -> None:
    noise = random.Random(2)
    widths = []
    for count in (8, 32, 128):
        x = [float(number) for number in range(count)]
        low, high = theil_sen_interval(x, [3 * at + noise.gauss(0, 1) for at in x])
        assert low < 3 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    with pytest.raises(ValueError, match="two different places"):
        theil_sen_interval([1.0, 1.0], [1.0, 2.0])


def test_in_19_of_20_cases_the_interval_holds_the_slope() -> None:
    noise = random.Random(7)
    x = [float(number) for number in range(15)]
    held = 0
    for _ in range(400):
        low, high = theil_sen_interval(x, [noise.gauss(0, 1) for _ in x])
        held += low <= 0 <= high
    assert 0.93 <= held / 400 <= 0.99


def test_noise_is_no_growth_and_a_leak_below_the_noise_is_one() -> None:
    noise = random.Random(3)
    hours = [number / 100 for number in range(600)]
    # The round of the modes: memory swings by 6 MB, ten times an hour.
    swing = [6.0 if number % 10 < 5 else 0.0 for number in range(600)]
    steady = [70 + up + noise.gauss(0, 0.5) for up in swing]
    flat = trend(hours, steady, 60)
    assert flat.flat
    assert str(flat).startswith("0 within noise (")
    leaking = trend(hours, [at + 2 * hour for at, hour in zip(steady, hours, strict=True)], 60)
    assert leaking.low > 1
    assert leaking.low < 2 < leaking.high
    assert str(leaking).startswith("grows (")


def test_bins_are_medians_of_equal_parts_and_empty_parts_are_left_out() -> None:
    x, y = binned([0.0, 1.0, 2.0, 9.0, 10.0], [5.0, 7.0, 90.0, 1.0, 3.0], 4)
    assert (x, y) == ([1.0, 9.5], [7.0, 2.0])


def ran(*changes: tuple[float, str]) -> Run:
    run = Run()
    for at, mode in changes:
        run.heard({"type": "power", "t": at, "mode": mode}, at)
    run.heard(
        {"type": "end", "t": 9.0, "ledger": {"captured": 9, "silence": 4, "transcribed": 5}}, 60.0
    )
    run.heard({"type": "final", "t": 1.0, "text": "Yes."}, 8.0)
    return run


def test_modes_are_told_apart_by_the_time_at_which_they_were_read() -> None:
    bands = modes_of(ran((10.0, "listening"), (20.0, "idle")), 50.0)
    assert bands == [
        Band(0.0, 10.0, "active"),
        Band(10.0, 20.0, "listening"),
        Band(20.0, 50.0, "idle"),
    ]
    assert [course.mode_at(bands, at) for at in (0, 10, 49, 60)] == [
        "active",
        "listening",
        "idle",
        "idle",
    ]


def points(slope: float) -> list[Point]:
    return [
        Point(
            at=float(at),
            main_mb=70 + slope * at / 3600,
            engine_mb=0.0 if at % 20 >= 10 else 200.0,
            cpu_percent=80.0 if at < 4 else 0.5,
            engine_cpu_percent=0.0,
            threads=6,
            open_files=20 + at // 100,
        )
        for at in range(0, 200, 2)
    ]


def soaked(slope: float) -> Soaked:
    changes = [
        (float(at), mode)
        for start in range(0, 200, 20)
        for at, mode in ((start, "active"), (start + 10, "parked"))
    ]
    return Soaked("real time", Course(points(slope), [1, 2]), ran(*changes), 10, 3, [])


def test_a_soak_is_judged_by_growth_that_is_not_noise() -> None:
    steady = {figure.name: figure for figure in figures(soaked(0.0))}
    assert steady["real time: main process, growth beyond noise"].met
    slope = steady["real time: main process, slope of memory"]
    assert slope.verdict.startswith("0 within noise")
    leaking = {figure.name: figure for figure in figures(soaked(20.0))}
    assert leaking["real time: main process, slope of memory"].value == pytest.approx(20.0)
    assert leaking["real time: main process, growth beyond noise"].met is False
    assert leaking["real time: open files, at the end − at the beginning"].met is False
    assert leaking["real time: threads, at the end − at the beginning"].met
    assert leaking["real time: utterances without a final"].value == 2
    assert leaking["real time: samples not accounted for"].value == 0


def test_modes_are_shown_beside_each_other() -> None:
    rows = {row[0]: row for row in table(soaked(0.0)).rows}
    assert set(rows) == {"active", "parked"}
    assert rows["parked"][1] == pytest.approx(50, abs=2)
    assert rows["parked"][5] == 0.0
    assert rows["active"][5] == 200.0


def test_the_plot_has_bands_a_legend_and_curves_inside_of_its_panels() -> None:
    root = ElementTree.fromstring(drawn(soaked(0.0), DeveloperOptions()))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    shown = {element.text for element in root.findall(f"{SVG}text")}
    assert {"active", "listening", "idle", "parked", "closed", "minutes"} <= shown
    assert {"main process", "engine process", "main process, CPU %"} <= shown
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) == 4
    for line in lines:
        for x, y in re.findall(r"([\d.-]+),([\d.-]+)", line.attrib["points"]):
            assert 0 < float(x) < width
            assert 0 < float(y) < height
    colours = [element.attrib["fill"] for element in root.findall(f"{SVG}rect")]
    # The ground, five in the legend, and in each of three panels: active from the start and ten
    # times more, and parked ten times.
    assert len(colours) == 1 + 5 + 3 * 21
    assert len(set(colours)) == 6


def test_a_band_lies_where_its_state_was() -> None:
    text = timeline(
        title="a < b",
        subtitle="",
        x_label="x",
        panels=[Panel("y", [Series("curve", [(0.0, 1.0), (50.0, 4.0), (100.0, 2.0)])])],
        bands=[Band(0.0, 50.0, "up"), Band(50.0, 100.0, "down")],
        names=["up", "down"],
    )
    root = ElementTree.fromstring(text)
    *_, up, down = root.findall(f"{SVG}rect")
    (curve,) = root.findall(f"{SVG}polyline")
    xs = [float(x) for x in re.findall(r"([\d.]+),", curve.attrib["points"])]
    assert float(up.attrib["x"]) == xs[0]
    assert float(down.attrib["x"]) == xs[1]
    assert float(down.attrib["x"]) + float(down.attrib["width"]) == pytest.approx(xs[2])
    empty = timeline(title="", subtitle="", x_label="", panels=[], bands=[], names=[])
    assert ElementTree.fromstring(empty).tag == f"{SVG}svg"


@pytest.mark.skipif(proc.missing() is not None, reason=str(proc.missing()))
def test_a_program_is_recorded_with_what_runs_under_it() -> None:
    text = (
        "import subprocess, sys\n"
        "grown = bytearray(30_000_000)\n"
        "p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print('ready', flush=True); input()"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        program.stdout.readline()
        with course.recorded(program.pid, Run(), 0.05) as found:
            wait_until(lambda: len(found.points) >= 3, "it is not recorded")
    finally:
        program.kill()
        program.communicate()
    assert len(found.points) >= 3
    assert len(found.engines) == 1
    assert all(point.main_mb > 30 > point.engine_mb > 3 for point in found.points[1:])
    assert [point.at for point in found.points] == sorted(point.at for point in found.points)
