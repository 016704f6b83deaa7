"""Texts to programs, standard output and files; and which back ends are chosen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.injecting import FixedFocus, Rig, profile

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.choose import make_outfit, names_of
from vivavoce.config.injection import InjectionSettings


def _rig(tmp_path: Path, **settings) -> Rig:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return Rig(profile(settings), probe=FixedFocus(), environ=environ)


async def test_a_file_gets_a_line_for_each_text(tmp_path: Path):
    path = tmp_path / "said.txt"
    rig = _rig(tmp_path, backend="file", file="~/said.txt")
    await rig.say_texts("One,", "Two $(id).\nThree.")
    assert path.read_text() == "One,\nTwo $(id). Three.\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert rig.outcomes == [Outcome.TYPED] * 2
    assert rig.deliveries[0].back_end == "file"


async def test_a_file_that_cannot_be_written(tmp_path: Path):
    for where in ("no/such/folder/x", "", str(tmp_path)):
        rig = _rig(tmp_path, backend="file", file=where)
        await rig.say_texts("Lost?")
        assert rig.outcomes == [Outcome.FAILED]
        assert rig.deliveries[0].reason


async def test_a_program_receives_the_text_on_standard_input(tmp_path: Path):
    got, arguments = tmp_path / "got", tmp_path / "arguments"
    script = f'cat >> {got}; echo "$#" > {arguments}'
    rig = _rig(tmp_path, backend="command", command=["sh", "-c", script, "sh", "$(id)"])
    await rig.say_texts("Write `this` $(reboot) 'and' \"that\".", "ñ 😀" + "x" * 100_000)
    first = "Write `this` $(reboot) 'and' \"that\"."
    assert got.read_text() == f"{first} Ñ 😀" + "x" * 100_000
    assert arguments.read_text() == "1\n"
    assert rig.outcomes == [Outcome.TYPED] * 2


@pytest.mark.parametrize(
    "command", [["no-such-program"], ["sh", "-c", "exit 3"], ["sh", "-c", "cat; exit 3"], []]
)
async def test_a_program_that_fails_leaves_it_to_the_next(tmp_path: Path, command: list[str]):
    path = tmp_path / "said.txt"
    rig = _rig(tmp_path, backend=["command", "file"], command=command, file=str(path))
    await rig.say_texts("Said.")
    took_it = command[-1:] == ["cat; exit 3"]
    assert path.exists() is not took_it, "what took the text may have used it"
    assert rig.outcomes == [Outcome.FAILED if took_it else Outcome.TYPED]


async def test_a_program_need_not_read_its_text(tmp_path: Path):
    rig = _rig(tmp_path, backend=["command", "file"], command=["true"], file=str(tmp_path / "x"))
    await rig.say_texts("Said.")
    assert [(each.outcome, each.back_end) for each in rig.deliveries] == [("typed", "command")]


def test_standard_output(tmp_path: Path):
    """In a process of its own: nothing else stands on its standard output."""
    script = (
        "import asyncio\n"
        "from vivavoce.actors.injection.choose import make_outfit\n"
        "from vivavoce.actors.injection.back_end import Manner\n"
        "from vivavoce.config.injection import InjectionSettings\n"
        "outfit = make_outfit(InjectionSettings(backend='stdout'), {})\n"
        "print(asyncio.run(outfit.back_ends[0].type(' Hallo ñ', Manner())).done)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == "Hallo ñ\nTrue\n"


def test_nothing_is_written_where_persistence_is_off(tmp_path: Path):
    settings = InjectionSettings(backend="file", file=str(tmp_path / "x"))
    outfit = make_outfit(settings, {}, persistence=False)
    assert outfit.back_ends == ()
    assert "persistence" in outfit.reason


@pytest.mark.parametrize(
    ("backend", "environ", "names"),
    [
        ("auto", {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "wtype dotool ydotool clipboard"),
        ("auto", {"DISPLAY": ":0"}, "xdotool pynput clipboard"),
        ("auto", {}, ""),
        ("none", {"DISPLAY": ":0"}, ""),
        ("xdotool", {}, "xdotool"),
        (["dotool", "file"], {}, "dotool file"),
    ],
)
def test_back_ends_of_a_session(backend, environ: dict[str, str], names: str):
    found, reason = names_of(InjectionSettings(backend=backend), environ, "linux")
    assert " ".join(found) == names
    assert bool(reason) is not bool(names)
    assert "\n" not in reason


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_back_ends_of_other_systems(platform: str):
    assert names_of(InjectionSettings(backend="auto"), {}, platform) == (("pynput",), "")


def test_every_back_end_of_the_schema_can_be_made():
    names = ["wtype", "ydotool", "dotool", "xdotool", "pynput", "clipboard", "command", "stdout"]
    environ = {"DISPLAY": ":9", "WAYLAND_DISPLAY": "wayland-9"}
    outfit = make_outfit(InjectionSettings(backend=[*names, "file"]), environ)
    assert [back_end.name for back_end in outfit.back_ends] == [*names, "file"]
    assert outfit.clipboard is not None
    alone = make_outfit(InjectionSettings(backend="clipboard"), {"DISPLAY": ":9"})
    assert [back_end.name for back_end in alone.back_ends] == ["clipboard"]


HANGING = """if True:
    import asyncio, sys
    from vivavoce.actors.injection.back_end import Manner
    from vivavoce.actors.injection.streams import File, StandardOutput
    from vivavoce.actors.injection.tool import ToolRunner
    from vivavoce.config.injection import InjectionSettings
    async def main():
        kind = {"file": File, "stdout": StandardOutput}[sys.argv[1]]
        back_end = kind(ToolRunner({}), InjectionSettings(file=sys.argv[2]))
        try:
            async with asyncio.timeout(0.1):
                await back_end.type("x" * 1_000_000, Manner())
        except TimeoutError:
            print("does not answer", file=sys.stderr)
        back_end.close()
    asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["file", "stdout"])
def test_a_pipe_that_nobody_reads_does_not_keep_the_program(tmp_path: Path, kind: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", HANGING, kind, str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        try:
            assert program.wait(20) == 0
            assert program.stderr is not None
            assert program.stderr.read() == b"does not answer\n"
        finally:
            program.kill()
