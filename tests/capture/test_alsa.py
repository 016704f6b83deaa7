"""What PortAudio finds in ALSA's configuration: everything but converters."""

import ctypes.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or ctypes.util.find_library("asound") is None, reason="no ALSA here"
)

PROBE = """
import ctypes
from vivavoce.actors.capture.alsa import leave_out_converters

for start in range(2):  # PortAudio is started again when a device was lost
    leave_out_converters()
    alsa = ctypes.CDLL("libasound.so.2")
    if alsa.snd_config_update() < 0:
        print("unreadable")
        continue
    top = ctypes.c_void_p.in_dll(alsa, "snd_config")
    names = ("a52", "upmix", "speexrate", "mine", "loud")
    node = ctypes.c_void_p()
    found = [alsa.snd_config_search(top, b"pcm." + n.encode(), ctypes.byref(node)) for n in names]
    print(*(name for name, error in zip(names, found) if error == 0))
    alsa.snd_config_update_free_global()
"""

CONVERTERS = "pcm.a52 {type null}\npcm.upmix {type null}\npcm.speexrate {type null}\n"


def found(configuration: str, tmp_path) -> list[str]:
    path = tmp_path / "asound.conf"
    path.write_text(configuration)
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROBE],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"ALSA_CONFIG_PATH": str(path), "PYTHONPATH": ":".join(sys.path)},
    )
    return done.stdout.splitlines()


def test_converters_are_left_out_each_time(tmp_path) -> None:
    assert found(CONVERTERS + "pcm.mine {type null}", tmp_path) == ["mine", "mine"]


def test_where_one_is_in_use_everything_stays(tmp_path) -> None:
    everything = "a52 upmix speexrate mine loud"
    used = CONVERTERS + 'pcm.mine {type null}\npcm.loud "plug:upmix"'
    assert found(used, tmp_path) == [everything, everything]


def test_a_configuration_that_cannot_be_read_is_left_to_portaudio(tmp_path) -> None:
    assert found("pcm.mine {", tmp_path) == ["unreadable"] * 2
