"""What is exported can be read back by whoever reads that kind of file."""

import json
import re
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.program import isolated

from vivavoce.actors.history.store import Store
from vivavoce.cli.history import command

HOSTILE = "1 < 2 & <b>bold</b> --> *star* _under_ # `code` [link](x) \x1b[31m"


def export(path: Path, *arguments: str) -> str:
    done = CliRunner().invoke(command, ["--file", str(path), "export", *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout_bytes.decode()


CUE = re.compile(
    r"(?:(\d+)\n)?(\d+):(\d+):(\d+)[,.](\d+) --> (\d+):(\d+):(\d+)[,.](\d+)\n(.*?)\n\n", re.S
)


def cues(text: str) -> list[tuple[float, float, str]]:
    def seconds(*parts: str) -> float:
        hours, minutes, secs, milliseconds = map(int, parts)
        return hours * 3600 + minutes * 60 + secs + milliseconds / 1000

    return [(seconds(*found[1:5]), seconds(*found[5:9]), found[9]) for found in CUE.findall(text)]


def test_subtitles_have_the_times_of_each_run_one_after_the_other(path: Path, row) -> None:
    for run, starts in (("run1", (1.5, 6.0)), ("run2", (0.25, 5.0))):
        store = Store(path, run)
        with store.transaction():
            for number, start in enumerate(starts):
                at = round(start * 16_000)
                store.add(row(number, f"{run} {HOSTILE}", start=at, end=at + 56_000))
        store.close()
    for kind in ("srt", "vtt"):
        found = cues(export(path, "--format", kind))
        # The second run begins at 10 s, where the first has ended.
        assert [start for start, _, _ in found] == [1.5, 6.0, 10.25, 15.0]
        assert all(start < end for start, end, _ in found)
        assert all(one[1] <= other[0] for one, other in pairwise(found))
        assert not any("-->" in text or "\x1b" in text for _, _, text in found)
        assert cues(export(path, "--format", kind, "--session", "last"))[0][0] == 0.25
    numbers = [int(found[0]) for found in CUE.findall(export(path, "--format", "srt"))]
    assert numbers == list(range(1, len(numbers) + 1))
    vtt = export(path, "--format", "vtt")
    assert vtt.startswith("WEBVTT\n\nNOTE run run1 of ")
    assert vtt.count("WEBVTT") == 1
    assert "&lt;b&gt;" in vtt


def test_a_cue_that_is_held_beyond_its_run_is_not_lost(path: Path, row) -> None:
    for run in ("run1", "run2"):
        store = Store(path, run)
        with store.transaction():
            store.add(row(1, f"{run} yes", start=0, end=8_000))
        store.close()
    for kind in ("srt", "vtt"):
        assert cues(export(path, "--format", kind)) == [
            (0.0, 1.0, "run1 yes"),
            (1.0, 2.0, "run2 yes"),
        ]


def test_nothing_is_a_file_of_its_kind_too(fill) -> None:
    path = fill("text")
    nothing = ("--until", "1970-01-01")
    assert export(path, "--format", "vtt", *nothing) == "WEBVTT\n\n"
    assert export(path, "--format", "srt", *nothing) == ""
    assert export(path, "--format", "csv", *nothing).startswith("id,session,")
    assert export(path, "--format", "md", *nothing) == ""


def test_json_lines_hold_everything(path: Path, row) -> None:
    store = Store(path, "run1")
    with store.transaction():
        store.add(row(1, HOSTILE + "\x00\n", application="XTerm", confidence=0.5, wav=b"x"))
        store.add(row(2, "taken back"))
        store.retract(3, 1)
    store.close()
    first, second = map(json.loads, export(path, "--format", "jsonl").splitlines())
    assert first["text"] == HOSTILE + "\x00\n"
    assert (first["start"], first["end"]) == (60.0, 61.5)
    assert (first["sound"], first["retracted"], second["retracted"]) == (True, False, True)
    assert export(path).count("\n") == 1  # txt leaves out what was taken back …
    assert export(path, "--with-retracted").splitlines()[1] == "taken back"  # … unless asked


def test_markdown_and_text_show_the_text_and_no_more(fill) -> None:
    path = fill(HOSTILE, "two\nlines", application="X*Y")
    text = export(path, "--format", "txt")
    assert text.splitlines() == [HOSTILE.replace("\x1b", "\ufffd"), "two lines"]
    shown = export(path, "--format", "md")
    assert shown.startswith("## 20")
    assert "\\<b\\>bold" in shown
    assert "\\*star\\* \\_under\\_ \\# \\`code\\` \\[link\\]\\(x\\)" in shown
    assert len([line for line in shown.splitlines() if line.startswith("- **")]) == 2


def test_a_file_is_replaced_whole_and_for_its_owner_alone(fill, tmp_path: Path) -> None:
    path = fill("text")
    out = tmp_path / "said.jsonl"
    assert export(path, "-o", str(out)) == ""
    assert json.loads(out.read_text())["text"] == "text"  # the kind by its name
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    wrong = CliRunner().invoke(
        command, ["--file", str(path), "export", "-o", str(tmp_path / "no" / "where.txt")]
    )
    assert "cannot write" in str(wrong.exception)
    assert not [part for part in tmp_path.iterdir() if part.name.startswith(".said")]


@pytest.mark.process
def test_it_streams_in_bounded_memory_while_somebody_writes(
    path: Path, row, tmp_path: Path
) -> None:
    store = Store(path, "run1")
    with store.transaction():
        for number in range(4_000):
            store.add(row(number, f"{number} " + "word " * 1_000))
    exporting = subprocess.Popen(
        [sys.executable, "-P", "-c", MEASURED, "--file", str(path), "export"],
        env=isolated(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert exporting.stdout is not None
    lines = [exporting.stdout.readline()]
    with store.transaction():
        store.add(row(4_000, "while it is exported"))
    store.close()
    lines += exporting.stdout.read().splitlines()
    _, peak = exporting.communicate(timeout=60)
    assert [int(line.split()[0]) for line in lines[:4_000]] == list(range(4_000))
    grown = int(peak)
    assert grown < 12_000, f"{grown} kB for an export of 20 MB"


MEASURED = """
import resource, sys
from vivavoce.cli import _run
import vivavoce.cli.history, vivavoce.actors.history.reading, vivavoce.pipeline.safety
import vivavoce.cli.history_text
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
_run(["history", *sys.argv[1:]])
sys.stdout.flush()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)
"""
