"""Every command of the README runs."""

import json
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support.program import SPEECH, command, isolated, read_wave

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def lines(program: str) -> list[str]:
    found = [
        line.split("  #")[0].strip() for block in shell_blocks() for line in block.splitlines()
    ]
    return [line for line in found if line.split()[:1] == [program]]


USES = lines("vivavoce")
LISTENING = (
    "vivavoce",
    "vivavoce meeting",
    "vivavoce --set power.park_after_s=60",
    "vivavoce --set metrics.listen=127.0.0.1:9464",
    "vivavoce dictation",
    "vivavoce dictation --set injection.backend=none",
)
HELD = ("vivavoce push-to-talk", "vivavoce push-to-talk --set trigger.hotkey=menu")
CONTROL = [line for line in USES if line.startswith(("vivavoce ctl", "vivavoce history"))]


@pytest.mark.smoke
def test_the_readme_has_commands() -> None:
    assert len(USES) >= 9
    assert lines("make") == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in ("demo", "test"))


@pytest.mark.parametrize(
    "line", [line for line in USES if line not in (*LISTENING, *HELD, *CONTROL)]
)
def test_a_command_of_the_readme(line: str, tmp_path: Path) -> None:
    shutil.copy(SPEECH / "utt-007-kal16.wav", tmp_path / "talk.wav")
    (tmp_path / "audio.raw").write_bytes(read_wave(SPEECH / "utt-007-kal16.wav"))
    words = shlex.split(line)[1:]
    source = None
    if "<" in words:
        at = words.index("<")
        source = (tmp_path / words[at + 1]).open("rb")
        del words[at : at + 2]
    done = subprocess.run(
        command(*words),
        cwd=tmp_path,
        env=isolated(tmp_path),
        stdin=source or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if source:
        source.close()
    assert "Traceback" not in done.stderr
    if words == ["devices"] and done.returncode:
        assert "no microphone" in done.stderr or "PortAudio" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.device
@pytest.mark.parametrize("line", LISTENING)
def test_a_command_that_listens(line: str, tmp_path: Path, pulse_microphone) -> None:
    assert line in USES
    line = line.replace("9464", "0")  # another test, or another program, may have that port
    program = subprocess.Popen(
        command(*shlex.split(line)[1:]),
        env={**isolated(tmp_path), **pulse_microphone.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pulse_microphone.wait_for_listener()
    pulse_microphone.play(SPEECH / "utt-007-kal16.wav")
    heard = program.stdout.readline()
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert heard.strip()
    assert "pocketsphinx" in err  # without a model and a network, and it says so


def follow_once(arguments: list[str], environ: dict[str, str]) -> str:
    with subprocess.Popen(
        command(*arguments), env=environ, stdout=subprocess.PIPE, text=True
    ) as following:
        line = following.stdout.readline()
        following.terminate()
    return line


@pytest.mark.device
@pytest.mark.parametrize("line", HELD)
def test_push_to_talk_as_the_readme_controls_it(
    line: str, tmp_path: Path, pulse_microphone
) -> None:
    """There is no keyboard here, so it says what to bind instead; those commands are used."""
    assert line in USES
    environ = {**isolated(tmp_path), **pulse_microphone.environ}
    program = subprocess.Popen(
        command(*shlex.split(line)[1:]),
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pulse_microphone.wait_for_listener()
    remaining = list(CONTROL)

    def carry_out(beginning: str) -> str:
        wanted = next(found for found in remaining if found.startswith(beginning))
        remaining.remove(wanted)
        arguments = shlex.split(wanted)[1:]
        if "--follow" in arguments:
            return follow_once(arguments, environ)
        done = subprocess.run(
            command(*arguments), env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (wanted, done.stderr)
        return done.stdout

    carry_out("vivavoce ctl toggle")
    pulse_microphone.play(SPEECH / "utt-007-kal16.wav")
    assert json.loads(carry_out("vivavoce ctl status"))["recording"] is True
    subprocess.run(command("ctl", "stop"), env=environ, check=True)
    heard = program.stdout.readline()
    assert heard.strip()
    carry_out("vivavoce history search")
    assert heard.strip()[:10].lower() in carry_out("vivavoce history export").lower()
    carry_out("vivavoce ctl cancel")
    carry_out("vivavoce ctl quit")
    _, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert "bind `vivavoce ctl toggle` to a key" in err
    assert remaining == []
