"""A machine without PortAudio, or with a microphone that is busy: faults, so they are made."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.program import SPEECH, isolated

pytestmark = pytest.mark.process

MISSING = "raise OSError('PortAudio library not found')\n"

BUSY = """
class PortAudioError(Exception):
    pass
class _Default:
    device = (0, 0)
default = _Default()
def query_devices():
    return [{"name": "Mic", "max_input_channels": 1, "default_samplerate": 48000.0}]
def InputStream(**_):
    raise PortAudioError("Error opening InputStream: Device unavailable [PaErrorCode -9985]")
"""


def run_with(tmp_path: Path, sounddevice: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with a sounddevice module that behaves as told."""
    folder = tmp_path / "fault"
    folder.mkdir()
    (folder / "sounddevice.py").write_text(sounddevice)
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from vivavoce.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        env=isolated(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_missing_portaudio_names_the_command_to_install_it(tmp_path: Path) -> None:
    done = run_with(tmp_path, MISSING, "--engine", "pocketsphinx")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "sudo apt install libportaudio2" in done.stderr


def test_a_recording_works_without_portaudio(tmp_path: Path) -> None:
    source = str(SPEECH / "utt-007-kal16.wav")
    done = run_with(tmp_path, MISSING, "offline", "--source", source, "--pace", "max")
    assert done.returncode == 0, done.stderr
    assert "freedom" in done.stdout


def test_a_busy_microphone_is_one_line(tmp_path: Path) -> None:
    done = run_with(tmp_path, BUSY, "--engine", "pocketsphinx")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Device unavailable" in done.stderr
    assert "another program" in done.stderr
