"""Hold the key, speak, let go: the words are in the window. The real program, X server and key."""

import json
import subprocess
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, command, isolated
from support.pulse import PulseMicrophone
from support.waiting import PATIENCE_S, a_moment, wait_until
from support.x11 import XDisplay, missing

pytestmark = [pytest.mark.engine, pytest.mark.device, pytest.mark.desktop]

BOYS = SPEECH / "utt-025-rms.wav"
SAID = "The boys examined three of them with no result."
"""Where its sound lies in the blocks of the microphone decides how the small model of the tests
reads single words of it; the first and the last show that nothing is cut off."""


class Dictation:
    """The program `push-to-talk` on a display and a microphone of its own."""

    def __init__(self, folder: Path, display: XDisplay, microphone: PulseMicrophone) -> None:
        session = {key: value for key, value in display.environ.items() if key != "HOME"}
        self.environ = isolated(folder / "home", **microphone.environ, **session)
        self._err = folder / "err.txt"
        self._out = folder / "out.jsonl"
        with self._err.open("w") as err, self._out.open("w") as out:
            self.process = subprocess.Popen(
                command("push-to-talk", *WHISPER, "--format", "jsonl"),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        microphone.wait_for_listener()
        microphone.keep_awake()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def events(self, kind: str) -> list[dict]:
        lines = self._out.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if event["type"] == kind]

    def states(self) -> list[str]:
        return [event["state"] for event in self.events("recording")]

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        def has_come() -> bool:
            assert self.process.poll() is None, self.err
            return condition()

        wait_until(has_come, lambda: f"{what}\n{self.err}")

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def dictation(tmp_path: Path, pulse_microphone: PulseMicrophone) -> Iterator[Dictation]:
    reason = missing()
    if reason:
        pytest.skip(f"no X server can be had here: {reason}")
    display = XDisplay(tmp_path)
    running = Dictation(tmp_path, display, pulse_microphone)
    running.display = display
    yield running
    running.process.kill()
    running.process.wait()
    display.close()


def hears_keys(dictation: Dictation) -> bool:
    """A tap shows that keys are heard."""
    dictation.display.xdotool("key", "Control_R")
    a_moment()
    return bool(dictation.states())


@pytest.mark.smoke
def test_hold_speak_release_cancel_and_quit(
    dictation: Dictation, pulse_microphone: PulseMicrophone
) -> None:
    display = dictation.display
    window = display.terminal()
    dictation.wait_for(lambda: hears_keys(dictation), "no key is heard")
    # On a busy machine it lasts, and is a recording in which nothing is said.
    dictation.wait_for(
        lambda: dictation.states()[-1] in ("cancelled", "ended"), "the tap does not end"
    )

    display.xdotool("keydown", "Control_R")
    pulse_microphone.play(BOYS)
    display.xdotool("keyup", "Control_R")  # at once: the tail keeps the last word
    dictation.wait_for(lambda: bool(dictation.events("final")), "nothing is recognised")
    said = dictation.events("final")[0]["text"]
    words, spoken = said.split(), SAID.split()
    assert SequenceMatcher(None, words, spoken).ratio() > 0.7, said
    assert (words[0], words[-1]) == (spoken[0], spoken[-1])
    window.wait_for(said)
    dictation.wait_for(lambda: dictation.states()[-1] == "ended", "the recording does not end")

    display.xdotool("keydown", "Control_R")
    pulse_microphone.play(BOYS)
    display.xdotool("key", "Escape")
    dictation.wait_for(lambda: dictation.states()[-1] == "cancelled", "it is not cancelled")
    display.xdotool("keyup", "Control_R")

    second = dictation.control("push-to-talk")
    assert second.returncode == 1
    assert "is running already" in second.stderr

    assert dictation.control("ctl", "quit").returncode == 0
    assert dictation.process.wait(PATIENCE_S) == 0, dictation.err
    assert "Traceback" not in dictation.err
    typed = window.typed.replace("\x1b", "")  # the Escape goes to the window, too
    assert typed == said, "nothing of what was cancelled"
    ledger = dictation.events("end")[0]["ledger"]
    assert ledger["pending"] == 0

    kept = json.loads(dictation.control("history", "list", "--json").stdout)
    assert [row["text"] for row in kept] == [said]
    assert (kept[0]["outcome"], kept[0]["application"]) == ("typed", "editor")
