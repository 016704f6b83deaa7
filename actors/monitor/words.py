"""What every instrument is, in words: for the report, and for the help text of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Section = Literal["latency", "recognition", "audio", "faults", "process", "own"]


class Word(msgspec.Struct, frozen=True):
    """How an instrument is called in the report, in which section, and its help text."""

    section: Section
    label: str
    help: str


WORDS: Mapping[str, Word] = {
    "vivavoce_capture_samples_total": Word(
        "audio", "samples captured", "Samples (16 kHz) that were captured, lost ones included."
    ),
    "vivavoce_capture_overrun_samples_total": Word(
        "faults", "samples lost before they were read", "Samples that were lost in capture."
    ),
    "vivavoce_capture_clipped_samples_total": Word(
        "audio", "samples clipped", "Samples beyond full scale."
    ),
    "vivavoce_capture_block_seconds": Word(
        "audio", "block length in s", "Length of the microphone's audio blocks; 0: none is open."
    ),
    "vivavoce_capture_device_reopened_total": Word(
        "faults", "microphone opened again", "Times the audio device was lost and opened again."
    ),
    "vivavoce_capture_handovers_total": Word(
        "audio", "changes of block length", "Changes of block length without losing audio."
    ),
    "vivavoce_capture_handover_seconds": Word(
        "latency", "change of block length", "How long a change of block length took."
    ),
    "vivavoce_capture_ring_high_water_seconds": Word(
        "audio", "most audio that waited, in seconds", "The most audio that waited in the ring."
    ),
    "vivavoce_vad_frames_total": Word(
        "audio", "frames heard", "Frames of 32 ms that were looked at for speech."
    ),
    "vivavoce_vad_gated_frames_total": Word(
        "audio", "frames too quiet for speech", "Frames that the energy gate kept from the VAD."
    ),
    "vivavoce_captions_total": Word("recognition", "events written", "Events that were written."),
    "vivavoce_partials_total": Word("recognition", "partials", "Partials that were shown."),
    "vivavoce_finals_total": Word("recognition", "finals", "Utterances with their exact text."),
    "vivavoce_finals_speculative_total": Word(
        "recognition", "finals ready at the pause", "Finals decoded before the end was confirmed."
    ),
    "vivavoce_finals_invented_total": Word(
        "recognition", "words that nobody said, removed", "Hallucinations that the engine dropped."
    ),
    "vivavoce_speculative_discarded_total": Word(
        "recognition", "finals begun in vain", "Speculative finals thrown away: speech went on."
    ),
    "vivavoce_stable_words_total": Word(
        "recognition", "words shown as stable", "Words that partials called stable."
    ),
    "vivavoce_corrected_words_total": Word(
        "recognition", "of them corrected", "Stable words that read differently in the final."
    ),
    "vivavoce_revisions_total": Word("recognition", "revisions", "Finals that were revised."),
    "vivavoce_revisions_skipped_total": Word(
        "recognition", "revisions skipped", "Revisions skipped because the machine was too busy."
    ),
    "vivavoce_window_cuts_total": Word(
        "recognition", "cuts of long speech", "Speech without a pause that was cut at a word."
    ),
    "vivavoce_engine_starts_total": Word(
        "recognition", "starts of the engine", "Engine processes that were started."
    ),
    "vivavoce_engine_hangs_total": Word(
        "faults",
        "hangs of the engine",
        "Engine processes that did not answer in time, were ended and replaced.",
    ),
    "vivavoce_engine_restarts_total": Word(
        "faults", "restarts of the engine", "Engine processes that died and were replaced."
    ),
    "vivavoce_actor_restarts_total": Word(
        "faults", "restarts of an actor", "Actors that failed and were restarted."
    ),
    "vivavoce_set_aside_total": Word(
        "faults", "messages given up", "Messages at which an actor failed twice."
    ),
    "vivavoce_actor_lost_samples_total": Word(
        "faults",
        "samples an actor did not pass on",
        "Samples that an actor was given and did not pass on.",
    ),
    "vivavoce_actor_surplus_samples_total": Word(
        "faults",
        "samples too many from an actor",
        "Samples that an actor sent beyond what it was given.",
    ),
    "vivavoce_not_told_total": Word(
        "faults", "failures to take over a mode or profile", "Actors that failed when told."
    ),
    "vivavoce_monitor_failures_total": Word(
        "faults", "failures of the monitor", "Failures of the monitor itself, by kind."
    ),
    "vivavoce_memory_relief_total": Word(
        "process", "reliefs for lack of memory", "What was done because memory was short."
    ),
    "vivavoce_lag_seconds": Word("latency", "lag now", "Speech that waits for its final."),
    "vivavoce_overload_rung": Word("recognition", "rung", "Rung of the overload ladder; 0: none."),
    "vivavoce_overload_rung_highest": Word(
        "recognition", "highest rung", "The highest rung so far."
    ),
    "vivavoce_partial_seconds": Word(
        "latency", "partial decoded", "Time that the engine took for a partial, waiting included."
    ),
    "vivavoce_final_seconds": Word(
        "latency", "final decoded", "Time that the engine took for a final, waiting included."
    ),
    "vivavoce_endpoint_to_final_seconds": Word(
        "latency", "endpoint → final", "End of an utterance decided → its final."
    ),
    "vivavoce_recordings_total": Word(
        "recognition", "recordings", "Recordings that a key or a command began, by how they ended."
    ),
    "vivavoce_injected_total": Word(
        "recognition", "texts delivered", "Texts by what became of them, and by which back end."
    ),
    "vivavoce_injection_seconds": Word(
        "latency", "text typed", "Final received → its text typed, copied or given up."
    ),
    "vivavoce_history_finals_total": Word(
        "recognition", "finals for the history", "Finals that were handed to the history."
    ),
    "vivavoce_history_lost_total": Word(
        "faults", "finals not in the history", "Finals that the history could not keep."
    ),
    "vivavoce_cleanup_seconds": Word("latency", "cleanup", "Time to tidy one text."),
    "vivavoce_partial_shown_seconds": Word(
        "latency", "speech heard → partial shown", "Newest audio of a partial → the partial."
    ),
    "vivavoce_speech_to_final_seconds": Word(
        "latency", "end of speech → final shown", "End of the speech → its final text."
    ),
    "vivavoce_stage_seconds": Word(
        "latency", "of that", "Where the time of a final went, by stage."
    ),
    "vivavoce_loop_lag_seconds": Word(
        "latency", "event-loop lag", "How late timers of the event loop are."
    ),
    "vivavoce_actor_seconds": Word("own", "", "What actors measure of their own work."),
    "vivavoce_mode_seconds_total": Word("process", "time", "Time in each power mode."),
    "vivavoce_mode_cpu_seconds_total": Word(
        "process", "CPU", "CPU time of the main process in each power mode."
    ),
    "vivavoce_mode_wakeups_total": Word(
        "process", "wake-ups", "Times a thread of the main process was woken, by power mode."
    ),
    "vivavoce_power_mode": Word("process", "power mode", "1 for the present power mode."),
    "vivavoce_resident_memory_bytes": Word(
        "process", "resident memory", "Resident memory of the main process and of the engines."
    ),
    "vivavoce_engine_cpu_seconds": Word(
        "process", "CPU of the engine", "CPU time of the engine processes that are running."
    ),
    "vivavoce_threads": Word("process", "threads", "Threads of the main process."),
    "vivavoce_open_files": Word("process", "open files", "Open files of the main process."),
    "vivavoce_python_blocks": Word(
        "process", "memory blocks", "Blocks of memory that Python's objects hold."
    ),
    "vivavoce_gc_collections_total": Word(
        "process", "garbage collections", "Garbage collections of the main process."
    ),
    "vivavoce_pressure_ratio": Word(
        "process", "pressure", "Share of 10 s in which something waited for the resource (PSI)."
    ),
    "vivavoce_available_memory_bytes": Word(
        "process", "available memory", "Memory of the machine that can still be used."
    ),
    "vivavoce_channel_depth": Word("process", "waiting", "Messages that wait in a channel."),
    "vivavoce_channel_high_water": Word("process", "most", "The most that ever waited."),
    "vivavoce_channel_capacity": Word("process", "capacity", "The most that may wait."),
    "vivavoce_channel_sent_total": Word("process", "sent", "Messages sent through a channel."),
    "vivavoce_channel_dropped_total": Word(
        "process", "dropped", "Messages that a channel dropped, by its overload policy."
    ),
    "vivavoce_channel_blocked_seconds_total": Word(
        "process", "held up", "How long senders waited for room in a channel until they had it."
    ),
    "vivavoce_channel_waiting_seconds": Word(
        "process", "held up now", "How long a sender waits for room in a channel now; 0: none does."
    ),
    "vivavoce_ledger_samples": Word(
        "audio", "samples", "What became of the samples: captured is the sum of the others."
    ),
    "vivavoce_battery_ratio": Word("process", "battery", "Charge of the battery."),
    "vivavoce_temperature_celsius": Word("process", "temperature", "The hottest sensor."),
}


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """What an instrument is called in the report; also one that is not in the table."""
    if name == "vivavoce_actor_seconds":
        return f"{labels.get('actor', '')}: {labels.get('part', '')}"
    known = WORDS.get(name)
    if known is not None:
        label = known.label
    else:
        label = name.removeprefix("vivavoce_").removesuffix("_total").removesuffix("_seconds")
        label = label.replace("_", " ")
    values = ", ".join(labels.values())
    if name == "vivavoce_stage_seconds":
        return f"  {label}: {values}"
    return f"{label} ({values})" if values else label


def section_of(name: str) -> Section:
    """In which section it stands; what is not in the table is somebody's own."""
    known = WORDS.get(name)
    return known.section if known is not None else "own"


def help_of(name: str) -> str:
    """The help text for Prometheus."""
    known = WORDS.get(name)
    return known.help if known is not None else f"{label_of(name, {})}."
