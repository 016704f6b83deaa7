"""Tones on a real sound server, notifications through a real program."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.pulse import PulseMicrophone
from support.waiting import a_moment, advance, moment, until, wait_until

from vivavoce.actors.trigger.feedback import Cue, Feedback, tone
from vivavoce.actors.trigger.machine import Cancel, Decision, Resume, Start, Stop
from vivavoce.config.schema import LogSettings
from vivavoce.config.trigger import FeedbackSettings
from vivavoce.pipeline.log import LogSink, use_sink

RATE = 16_000
NOTIFY = FeedbackSettings(notifications=True)


def loudest(sound: np.ndarray, rate: int = RATE) -> float:
    """The frequency that a sound is mostly made of."""
    spectrum = np.abs(np.fft.rfft(sound, 1 << 16))
    return float(np.argmax(spectrum) * rate / (1 << 16))


@pytest.mark.parametrize("cue", Cue)
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_tones_are_short_soft_and_as_loud_as_asked(cue: Cue, rate: int) -> None:
    sound = tone(cue, rate, 0.2)
    assert sound.dtype == np.float32
    assert 0.1 < len(sound) / rate < 0.2
    assert 0.19 < np.abs(sound).max() <= 0.2
    # A click is a jump: no sample is further from the next than the sine itself goes.
    assert np.abs(np.diff(sound, prepend=0, append=0)).max() < 0.2 * 2 * np.pi * 900 / rate


def test_tones_differ_in_their_direction() -> None:
    third = RATE // 20
    begin, end, cancel = (tone(cue, RATE, 0.2) for cue in Cue)
    assert loudest(begin[:third]) < loudest(begin[-third:])
    assert loudest(end[:third]) > loudest(end[-third:])
    assert loudest(cancel[:third]) == pytest.approx(loudest(cancel[-third:]), rel=0.1)
    assert loudest(cancel) < loudest(end[-third:]) / 1.5


PLAYER = """if True:
    import asyncio
    from vivavoce.actors.trigger.feedback import Feedback
    from vivavoce.actors.trigger.machine import Cancel, Start, Stop
    from vivavoce.config.trigger import FeedbackSettings
    async def main():
        feedback = Feedback(lambda: FeedbackSettings(tones=True, volume=0.5))
        for number, decision in enumerate((Start(1.0), Stop(2.0, 2.01), Start(3.0), Cancel(4.0))):
            feedback.decided(decision)
            # The first one imports and connects; on a busy machine that takes its time.
            await asyncio.sleep(1.3 if number else 2.0)
        await feedback.close()
    asyncio.run(main())
"""


HANGS = """if True:
    import asyncio, os
    from vivavoce.actors.trigger.feedback import Feedback
    from vivavoce.actors.trigger.machine import Start
    from vivavoce.config.trigger import FeedbackSettings
    async def main():
        Feedback(lambda: FeedbackSettings(tones=True)).decided(Start(1.0))
        await asyncio.sleep(0)
        print("went on", flush=True)
        os._exit(0)
    asyncio.run(main())
"""


@pytest.mark.device
def test_a_sound_server_that_hangs_holds_nobody_up(pulse_microphone: PulseMicrophone) -> None:
    pulse_microphone.hang()
    done = subprocess.run(
        [sys.executable, "-P", "-c", HANGS],
        env={**os.environ, **pulse_microphone.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "went on\n", done.stderr


@pytest.mark.pace
@pytest.mark.device
def test_tones_are_heard(tmp_path: Path, pulse_microphone: PulseMicrophone) -> None:
    environ = {**os.environ, **pulse_microphone.environ}
    recording = tmp_path / "heard"  # a pipe that nobody reads would hold the recorder up
    with recording.open("wb") as output:
        recorder = subprocess.Popen(
            [
                "parec",
                "--device=mic.monitor",
                "--latency-msec=20",
                "--channels=1",
                f"--rate={RATE}",
            ],
            env=environ,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    wait_until(lambda: recording.stat().st_size, "nothing is recorded")
    done = subprocess.run(
        [sys.executable, "-P", "-c", PLAYER],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    a_moment(0.3)  # what is still on its way to the recorder
    recorder.terminate()
    recorder.wait()
    data = recording.read_bytes()
    whole = data[: len(data) // 2 * 2]
    heard = np.frombuffer(whole, "<i2") / 32768
    # ALSA says of itself when a busy machine lets its buffer run empty.
    told = [line for line in done.stderr.splitlines() if not line.startswith("ALSA lib ")]
    assert told == []
    loud = np.flatnonzero(np.abs(heard) > 0.05)
    tones = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 8) + 1)
    assert len(tones) == 4
    halves = [np.array_split(heard[one[0] : one[-1] + 1], 2) for one in tones]
    rising = [loudest(second) - loudest(first) for first, second in halves]
    assert rising[0] > 100
    assert rising[1] < -100
    assert rising[2] > 100
    assert abs(rising[3]) < 50


def test_a_sound_server_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "asound.conf").write_text("pcm.!default { type pulse }\n")
    nowhere = {
        "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{tmp_path / 'asound.conf'}",
        "PULSE_SERVER": f"unix:{tmp_path / 'none'}",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", PLAYER],
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.count("a tone could not be played") == 1


@pytest.fixture
def notify_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A notify-send that notes what it is told, and when it ends; the file of its notes."""

    def make(script: str = "") -> Path:
        noted = tmp_path / "noted"
        program = tmp_path / "bin" / "notify-send"
        program.parent.mkdir()
        program.write_text(
            f"#!{sys.executable}\nimport os, sys, time\n"
            f"open({str(noted)!r}, 'a').write(sys.argv[-1] + '\\n')\n{script}\n"
            f"open({str(noted)!r}, 'a').write('.\\n')\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        return noted

    return make


class Told:
    """Feedback on decisions, and what it logs."""

    def __init__(self, noted: Path, settings: FeedbackSettings = NOTIFY) -> None:
        self._noted = noted
        self._stream = io.StringIO()
        use_sink(LogSink(LogSettings, self._stream))
        self.feedback = Feedback(lambda: settings)

    @property
    def noted(self) -> list[str]:
        return self._noted.read_text().splitlines() if self._noted.exists() else []

    @property
    def logged(self) -> str:
        return self._stream.getvalue()

    async def __call__(self, decision: Decision, *notes: str) -> None:
        """Tell a decision; return when these are all the notes."""
        self.feedback.decided(decision)
        if notes:
            await until(lambda: self.noted == list(notes), lambda: f"{self.noted} {self.logged}")


async def test_notifications_come_one_at_a_time_the_latest_last(
    notify_send: Callable[..., Path], tmp_path: Path
) -> None:
    go_on = tmp_path / "go on"
    told = Told(notify_send(f"while not os.path.exists({str(go_on)!r}): time.sleep(0.01)"))
    await told(Start(1.0), "Recording")
    await told(Stop(2.0, 2.0))
    await moment()
    await told(Start(3.0))
    await told(Cancel(4.0))
    go_on.touch()
    await told(Cancel(4.0), "Recording", ".", "Recording discarded", ".")
    await told.feedback.close()
    assert told.logged == ""


async def test_a_bounce_is_not_told(notify_send: Callable[..., Path]) -> None:
    told = Told(notify_send())
    await told(Start(1.0), "Recording", ".")
    await told(Stop(2.0, 2.05))
    await told(Resume(2.01))
    await moment()
    advance(1.0)
    await moment()
    await told(Stop(3.0, 3.05), "Recording", ".", "Recording ended", ".")
    await told.feedback.close()


async def test_in_voice_a_cancel_is_one_notification(notify_send: Callable[..., Path]) -> None:
    told = Told(notify_send())
    await told(Cancel(1.0))
    await told(Start(1.0), "Recording discarded", ".")
    await told.feedback.close()
    assert told.noted == ["Recording discarded", "."]


async def test_a_desktop_that_hangs_is_left_behind(notify_send: Callable[..., Path]) -> None:
    told = Told(notify_send("time.sleep(600)"))
    await told(Start(1.0), "Recording")
    advance(2.1)
    await told(Stop(2.0, 2.0), "Recording", "Recording ended")
    advance(2.1)
    await until(lambda: told.logged, "it is not told")
    assert told.logged.count("does not end within 2 s") == 1
    await told(Start(3.0), "Recording", "Recording ended", "Recording")
    await told.feedback.close()  # and is not waited for


@pytest.mark.parametrize("script", ["sys.exit(3)", None])
async def test_what_fails_is_told_once(
    notify_send: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    script: str | None,
) -> None:
    if script is None:
        monkeypatch.setenv("PATH", str(tmp_path))
        told = Told(tmp_path / "noted")
    else:
        told = Told(notify_send(script))
    await told(Start(1.0))
    await until(lambda: told.logged, "it is not told")
    await told(Stop(2.0, 2.0))
    await moment()
    await told.feedback.close()
    assert told.logged.count("a notification could not be shown") == 1
    assert ("notify-send ended with 3" in told.logged) == (script is not None)


async def test_off_by_default(notify_send: Callable[..., Path]) -> None:
    told = Told(notify_send(), settings=FeedbackSettings())
    await told(Start(1.0))
    await told(Stop(2.0, 2.0))
    await moment()
    await told.feedback.close()
    assert (told.noted, told.logged) == ([], "")


async def test_a_loop_that_starts_no_programs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: object, **__: object) -> None:  # as that of Windows for sockets alone
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "subprocess_exec", unable)
    told = Told(Path("nothing"))
    await told(Start(1.0))
    await until(lambda: "failed" in told.logged, "nothing was told")
    await told.feedback.close()
    assert told.logged == (
        "vivavoce: error: trigger: a notification failed (error='NotImplementedError: ')\n"
    )


async def test_who_is_cancelled_while_a_notification_ends_hears_of_it(
    notify_send: Callable[..., Path],
) -> None:
    noted = notify_send("time.sleep(60)")
    feedback = Feedback(lambda: NOTIFY)
    feedback.decided(Start(1.0))
    await until(noted.exists, "no notification is shown")
    closing = asyncio.create_task(feedback.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert len(asyncio.all_tasks()) == 1, "the program that showed it is not left alone"


async def test_a_device_with_nonsense_costs_one_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    rates, written, heard = [0.0, 0.0, 8_000.0], [], asyncio.Event()
    loop = asyncio.get_running_loop()

    class Stream:
        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, sound: np.ndarray) -> None:
            written.append(len(sound))
            loop.call_soon_threadsafe(heard.set)

    module = SimpleNamespace(
        PortAudioError=OSError,
        query_devices=lambda kind: {"default_samplerate": rates.pop(0)},
        OutputStream=lambda **_: Stream(),
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    stream = io.StringIO()
    use_sink(LogSink(LogSettings, stream))
    feedback = Feedback(lambda: FeedbackSettings(tones=True))
    for at in (1.0, 2.0, 3.0):
        feedback.decided(Start(at))
    async with asyncio.timeout(10):
        await heard.wait()
    await feedback.close()
    assert len(written) == 1
    assert stream.getvalue().count("a tone could not be played") == 1
