"""Keeps PortAudio from loading what it does not need of ALSA's plug-ins.

When PortAudio starts, it opens every PCM that ALSA's configuration names, to see what it is. With
the plug-ins that come with a desktop, those are not only sound cards and servers but also sample
rate converters, an AC-3 encoder and effects, for which FFmpeg is loaded with a hundred libraries:
14 MB and a third of the time of opening a microphone. None of them is a microphone.
"""

from __future__ import annotations

import ctypes
import re
import sys

_CONVERTERS = ("a52", "lavrate", "samplerate", "speex", "speexrate", "upmix", "vdownmix")
"""PCMs of alsa-plugins that take another one, ``plug:hw`` by default, and change its sound."""


def leave_out_converters() -> None:
    """Take the converters out of this process's copy of ALSA's configuration.

    To be called before each start of PortAudio, which reads the configuration anew. Where anything
    in it refers to a converter (a default device with an up-mix, say), nothing is left out.
    """
    if sys.platform != "linux":
        return
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        return  # PortAudio works without ALSA, or says what is missing
    if alsa.snd_config_update() < 0:
        return
    top = ctypes.c_void_p.in_dll(alsa, "snd_config")
    for name in _CONVERTERS:
        node = ctypes.c_void_p()
        if alsa.snd_config_search(top, f"pcm.{name}".encode(), ctypes.byref(node)) == 0:
            alsa.snd_config_delete(node)
    if _mentions_converters(_text(alsa, top)):
        alsa.snd_config_update_free_global()  # whoever reads it next reads all of it again


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
_SAY_NOTHING = _HANDLER(lambda *_: None)
"""What ALSA calls with each message, in place of writing it to standard error."""


def silence_messages() -> None:
    """Let ALSA write nothing to standard error any more.

    For devices that are tried again and again: each attempt would put lines into the live view, and
    why it failed is in PortAudio's error, too.
    """
    if sys.platform != "linux":
        return
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        return
    alsa.snd_lib_error_set_handler(_SAY_NOTHING)


def _text(alsa: ctypes.CDLL, node: ctypes.c_void_p) -> str:
    """A configuration as text; empty when there is no memory for it."""
    output = ctypes.c_void_p()
    if alsa.snd_output_buffer_open(ctypes.byref(output)) < 0:
        return ""
    try:
        alsa.snd_config_save(node, output)
        begin = ctypes.c_void_p()
        size = alsa.snd_output_buffer_string(output, ctypes.byref(begin))
        return ctypes.string_at(begin, size).decode(errors="replace") if begin else ""
    finally:
        alsa.snd_output_close(output)


def _mentions_converters(text: str) -> bool:
    return re.search(rf"\b({'|'.join(_CONVERTERS)})\b", text) is not None
