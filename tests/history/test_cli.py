"""`vivavoce history`, as a user runs it."""

import csv
import io
import json
import os
import pty
import re
import shutil
import stat
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.program import command as program
from support.program import isolated, run
from support.xvfb import start_xvfb

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.history.sound import to_wav
from vivavoce.actors.history.store import Store
from vivavoce.cli.history import command
from vivavoce.cli.history_use import clipboard_tools, to_clipboard
from vivavoce.cli.history_when import WrongTime, moment
from vivavoce.config.errors import VivavoceError

pytestmark = pytest.mark.process

BEGAN = 1_777_000_000_000
HOSTILE = "rm $(reboot) `x` \x1b]0;owned\x07\x1b[2J <script> =1+1 --> \u202eevil\x00 \"q\" 'p' 🙈"


def invoke(path: Path, *arguments: str, **more):
    return CliRunner().invoke(command, ["--file", str(path), *arguments], **more)


def data(path: Path, *arguments: str) -> list[dict]:
    done = invoke(path, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


# -- reading


def test_list_goes_back_page_by_page(fill) -> None:
    path = fill(*(f"text {number}" for number in range(45)))
    done = invoke(path, "list")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].endswith("text 44")
    assert len(done.stdout.splitlines()) == 20
    seen = []
    arguments: list[str] = []
    while True:
        done = invoke(path, "list", "-n", "20", *arguments)
        seen += [line.rsplit("  ", 1)[1] for line in done.stdout.splitlines()]
        hint = re.search(r"more: (--before) (\d+)", done.stderr)
        if not hint:
            break
        arguments = [hint[1], hint[2]]
    assert seen == [f"text {number}" for number in range(44, -1, -1)]


def test_list_says_what_became_of_it(path: Path, row) -> None:
    store = Store(path, "run1")
    with store.transaction():
        store.add(row(1, "first", application="firefox"))
        store.deliver(Delivery(utterance=1, outcome=Outcome.COPIED, reason="xdotool: timed out"))
        store.add(row(2, "second", application="XTerm"))
        store.retract(3, 1)
    store.close()
    newest, oldest = invoke(path, "list").stdout.splitlines()
    assert newest.split()[-3:] == ["XTerm", "retracted", "second"]
    assert oldest.split()[-3:] == ["firefox", "copied", "first"]
    assert [row["text"] for row in data(path, "list", "--application", "xterm")] == ["second"]
    shown = invoke(path, "show", "1").stdout
    assert "copied: xdotool: timed out" in shown
    assert shown.endswith("\n\nfirst\n")
    assert json.loads(invoke(path, "show", "last", "--json").stdout)["text"] == "first"


def test_search_finds_and_pages(fill) -> None:
    path = fill("The café", "nothing", "Cafeteria", "a cafe again")
    assert [row["text"] for row in data(path, "search", "CAFE")] == [
        "a cafe again", "Cafeteria", "The café",
    ]  # fmt: skip
    done = invoke(path, "search", "caf", "--limit", "2")
    assert done.stderr == "more: --before 3\n"
    assert "\x02" not in done.stdout
    assert "\x1b" not in done.stdout
    assert [row["id"] for row in data(path, "search", "caf", "--before", "3")] == [1]
    assert invoke(path, "search", "zzz").stderr == "nothing is there\n"
    assert [row["id"] for row in data(path, "search", "--fts", "cafe NOT again")] == [1]
    assert "--fts" in str(invoke(path, "search", "--fts", '"').exception)


def test_times_narrow_it_down(fill) -> None:
    path = fill("now", began=round(time.time() * 1000) - 60_000)
    fill("long ago", run="run2")
    assert [row["text"] for row in data(path, "list", "--since", "2h")] == ["now"]
    assert [row["text"] for row in data(path, "list", "--until", "2h")] == ["long ago"]
    day = datetime.fromtimestamp(BEGAN / 1000).date().isoformat()
    assert [row["text"] for row in data(path, "list", "--since", day, "--until", day)] == [
        "long ago"
    ]
    assert invoke(path, "list", "--since", "soon").exception.exit_code == 2  # type: ignore[union-attr]


def test_times_as_people_say_them() -> None:
    now = datetime(2026, 5, 3, 12, 0).astimezone()
    midnight = now.replace(hour=0)
    assert moment("now", now) == now
    assert moment("90m", now) == now - timedelta(minutes=90)
    assert moment("1.5 h ago", now) == now - timedelta(minutes=90)
    assert moment("2w", now) == now - timedelta(days=14)
    assert moment("today", now) == midnight
    assert moment("yesterday", now) == midnight - timedelta(days=1)
    assert moment("Yesterday", now, end=True) == midnight
    assert moment("2026-05-01", now, end=True) == midnight - timedelta(days=1)
    assert moment("2026-05-01 14:30", now, end=True) == midnight - timedelta(days=2, hours=-14.5)
    assert moment("2026-05-01T14:30+00:00", now).isoformat() == "2026-05-01T14:30:00+00:00"
    assert moment("9:05", now) == midnight.replace(hour=9, minute=5)
    for wrong in ("", "soon", "25:00", "-1h", "2026-13-01", "9" * 400 + "y", "h"):
        with pytest.raises(WrongTime, match="is no time"):
            moment(wrong, now)


def on_terminal(home: Path, *arguments: str, **environ: str) -> str:
    """What the program writes to a terminal of 60 columns."""
    master, slave = pty.openpty()
    done = subprocess.Popen(
        program(*arguments), stdin=slave, stdout=slave, stderr=slave,
        env={**isolated(home), "COLUMNS": "60", "LINES": "24", "TERM": "xterm", **environ},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65_536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.wait(20) == 0, shown
    return shown.decode()


def test_on_a_terminal_matches_stand_out_and_nothing_is_obeyed(fill, tmp_path: Path) -> None:
    path = fill(f"{HOSTILE} needle " + "hay " * 40)
    shown = on_terminal(tmp_path, "history", "--file", str(path), "search", "needle")
    assert "\x1b[33m\x1b[1mneedle\x1b[0m" in shown
    assert re.sub(r"\x1b\[\d*m", "", shown).count("\x1b") == 0
    assert "\u202e" not in shown
    assert len(re.sub(r"\x1b\[\d*m", "", shown).splitlines()) == 1
    plain = on_terminal(tmp_path, "history", "--file", str(path), "list", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "…" in plain
    assert "\x1b" not in invoke(path, "show", "1").stdout


# -- taking it out


def fake_tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_copy_hands_the_text_over_on_standard_input(fill, tmp_path: Path, monkeypatch) -> None:
    path = fill("first", HOSTILE + "\nline two")
    out = tmp_path / "clipboard"
    fake_tool(tmp_path / "bin", "xclip", f'printf "%s " "$@" > {out}.args; cat > {out}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = invoke(path, "copy")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "copied 2 to the clipboard\n")
    copied = out.read_text()
    assert copied == HOSTILE.replace("\x1b", "").replace("\x07", "").replace("\x00", "") + (
        "\nline two"
    )
    assert Path(f"{out}.args").read_text() == "-selection clipboard -in "
    assert invoke(path, "copy", "1").exit_code == 0
    assert out.read_text() == "first"


def test_the_tool_follows_the_session() -> None:
    def names(environ: dict[str, str], platform: str = "linux") -> list[str]:
        tools = clipboard_tools(environ, platform, lambda name: f"/bin/{name}")
        return [Path(tool[0]).name for tool in tools]

    both = {"WAYLAND_DISPLAY": "wayland-1", "DISPLAY": ":0"}
    assert names(both)[:2] == ["wl-copy", "xclip"]
    assert names({"DISPLAY": ":0"})[:2] == ["xclip", "xsel"]
    assert names({}, "darwin")[0] == "pbcopy"
    assert list(clipboard_tools(both, "linux", lambda _: None)) == []


def test_a_clipboard_that_cannot_be_reached_is_one_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VivavoceError, match="install wl-clipboard"):
        to_clipboard("text", {"DISPLAY": ":0"})
    fake_tool(tmp_path, "xclip", "exit 3")
    with pytest.raises(VivavoceError, match=r"xclip failed \(exit code 3\)"):
        to_clipboard("text", {"DISPLAY": ":0"})


@pytest.mark.desktop
@pytest.mark.skipif(
    not shutil.which("Xvfb") or not shutil.which("xclip"), reason="needs Xvfb and xclip"
)
def test_copy_into_a_real_clipboard(fill, tmp_path: Path) -> None:
    path = fill("Grüße 世界 👋")
    server, display = start_xvfb("64x64x8")
    try:
        environ = {**isolated(tmp_path), "DISPLAY": display}
        done = subprocess.run(
            program("history", "--file", str(path), "copy", "last"),
            env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        pasted = subprocess.run(
            ["xclip", "-selection", "clipboard", "-out"],
            env=environ, capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        assert pasted.stdout.decode() == "Grüße 世界 👋"
    finally:
        server.terminate()
        server.wait()


def test_replay_without_sound_and_into_a_file(fill, tmp_path: Path) -> None:
    import numpy as np

    sound = to_wav(np.arange(1_600, dtype=np.int16))
    path = fill("silent")
    fill("loud", run="run2", wav=sound)
    assert "history.audio" in str(invoke(path, "replay", "1").exception)
    out = tmp_path / "out.wav"
    assert invoke(path, "replay", "last", "-o", str(out)).exit_code == 0
    assert out.read_bytes() == sound
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.device
def test_replay_is_heard(fill, pulse_microphone, tmp_path: Path) -> None:
    """Played into the null sink, and recorded from its monitor."""
    import numpy as np

    tone = (8_000 * np.sin(np.arange(12_000) * 0.3)).astype(np.int16)
    path = fill("loud", wav=to_wav(tone))
    environ = {**isolated(tmp_path), **pulse_microphone.environ, "PULSE_SINK": "mic"}
    recorder = subprocess.Popen(
        ["parec", "-d", "mic.monitor", "--format=s16le", "--rate=16000", "--channels=1"],
        env=environ, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        done = subprocess.run(
            program("history", "--file", str(path), "replay"),
            env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    finally:
        recorder.terminate()
        heard, _ = recorder.communicate(timeout=60)
    pcm = np.frombuffer(heard[: len(heard) // 2 * 2], np.int16)
    assert np.count_nonzero(np.abs(pcm) > 4_000) > 4_000


def test_numbers_that_are_none(fill) -> None:
    path = fill("text")
    for action in ("show", "copy", "replay"):
        assert "no 99" in str(invoke(path, action, "99").exception)
        assert invoke(path, action, "x").exit_code == 2


# -- purge


def test_purge_asks_on_a_terminal_and_refuses_elsewhere(fill, tmp_path: Path) -> None:
    path = fill("one", "two")
    refused = invoke(path, "purge", "--all")
    assert "--yes" in str(refused.exception)
    assert len(data(path, "list")) == 2
    assert invoke(path, "purge").exit_code == 2
    assert invoke(path, "purge", "--all", "--id", "1").exit_code == 2
    master, slave = pty.openpty()
    done = subprocess.Popen(
        program("history", "--file", str(path), "purge", "--id", "1"),
        stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=isolated(tmp_path),
    )  # fmt: skip
    os.write(master, b"y\n")
    _, err = done.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert done.returncode == 0
    assert "remove 1 entry" in err
    assert [row["text"] for row in data(path, "list")] == ["two"]
    assert invoke(path, "purge", "--id", "1", "--yes").stderr == "nothing of that is there\n"
    assert invoke(path, "purge", "--older-than", "1d", "--yes").stderr == "removed 1\n"
    assert b"two" not in path.read_bytes()


def test_purge_before_a_day_leaves_that_day(fill) -> None:
    path = fill("old", began=BEGAN - 86_400_000)
    fill("that day", run="run2")
    day = datetime.fromtimestamp(BEGAN / 1000).date().isoformat()
    assert invoke(path, "purge", "--before", day, "--yes").exit_code == 0
    assert [row["text"] for row in data(path, "list")] == ["that day"]


# -- the whole program


def test_where_it_looks_and_what_it_says(tmp_path: Path, fill) -> None:
    found = run(tmp_path, "history", "path")
    assert found.out == f"{tmp_path}/data/vivavoce/history.sqlite3\n"
    empty = run(tmp_path, "history", "list")
    assert empty.code == 1
    assert "history.enabled" in empty.err
    assert len(empty.err.splitlines()) == 1
    Path(found.out.strip()).parent.mkdir(parents=True, exist_ok=True)
    Path(found.out.strip()).write_bytes(b"rubbish" * 1_000)
    damaged = run(tmp_path, "history", "list")
    assert damaged.code == 1
    assert "mv " in damaged.err
    assert "Traceback" not in damaged.err
    helped = run(tmp_path, "history", "--help").out
    for name in ("list", "search", "show", "copy", "replay", "export", "purge", "path"):
        assert name in helped
    profile = tmp_path / "mine.yaml"
    profile.write_text("history: {path: /somewhere/else.db}\n")
    assert run(tmp_path, "history", "--profile", str(profile), "path").out == "/somewhere/else.db\n"


def test_a_reader_that_goes_away_is_no_failure(fill, tmp_path: Path) -> None:
    path = fill(*("text " * 50 for _ in range(3_000)))
    shell = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *program("history", "--file", str(path), "export")],
        env=isolated(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shell.stdout.startswith("text")
    assert shell.stderr == ""


def test_export_to_csv_is_read_back_by_a_reader_of_csv(fill) -> None:
    path = fill(HOSTILE.replace("\x00", ""), '=HYPERLINK("x"), "y"', "two\nlines")
    done = invoke(path, "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert rows[0]["text"] == HOSTILE.replace("\x00", "")
    assert rows[1]["text"] == '\'=HYPERLINK("x"), "y"'
    assert rows[2]["text"] == "two\nlines"
    assert rows[2]["began"] == "2026-04-24T03:08:40.000Z"
