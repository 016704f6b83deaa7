"""Dictation in a real compositor, with the commands that one binds to a key there."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, command, isolated
from support.pulse import PulseMicrophone
from support.waiting import PATIENCE_S, wait_until
from support.wayland import SwaySession, missing

pytestmark = [pytest.mark.engine, pytest.mark.device, pytest.mark.desktop]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[SwaySession]:
    reason = missing()
    if reason:
        pytest.skip(f"no compositor can be had here: {reason}")
    session = SwaySession(tmp_path)
    yield session
    session.close()


@pytest.mark.smoke
def test_a_recording_between_two_commands_is_typed(
    tmp_path: Path, session: SwaySession, pulse_microphone: PulseMicrophone
) -> None:
    window = session.terminal("editor")
    wayland = {key: session.environ[key] for key in ("WAYLAND_DISPLAY", "SWAYSOCK")}
    runtime = Path(session.environ["XDG_RUNTIME_DIR"])
    wayland["WAYLAND_DISPLAY"] = str(runtime / wayland["WAYLAND_DISPLAY"])
    environ = isolated(tmp_path / "home", **pulse_microphone.environ, **wayland)
    program = subprocess.Popen(
        command("push-to-talk", *WHISPER),
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        pulse_microphone.wait_for_listener()
        wait_until(
            lambda: (
                subprocess.run(command("ctl", "start"), env=environ, check=False).returncode == 0
            ),
            "it does not start to record",
        )
        pulse_microphone.play(SPEECH / "utt-025-rms.wav")
        subprocess.run(command("ctl", "stop"), env=environ, check=True)
        said = program.stdout.readline().strip()
        assert said.startswith("The boys")
        window.wait_for(said)
        subprocess.run(command("ctl", "quit"), env=environ, check=True)
        _, err = program.communicate(timeout=PATIENCE_S)
        assert program.returncode == 0, err
        assert "bind `vivavoce ctl toggle` to a key" in err, "no program hears keys here"
        listed = subprocess.run(
            command("history", "list", "--json"),
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        (row,) = json.loads(listed.stdout)
        assert (row["text"], row["outcome"], row["back_end"]) == (said, "typed", "wtype")
        assert row["application"] == "editor"
    finally:
        program.kill()
        program.wait()
