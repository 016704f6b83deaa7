"""The typed profile schema. Every setting is documented where it is declared.

The structs are msgspec Structs with ``forbid_unknown_fields``; a profile is one :class:`Profile`.
Times are in milliseconds where the name ends in ``_ms`` and in seconds where it ends in ``_s``.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from vivavoce.config.applications import ApplicationSettings
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.history import HistorySettings
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.monitoring import MetricsSettings, TargetSettings
from vivavoce.config.power import PowerSettings
from vivavoce.config.section import Milliseconds, Probability, Section
from vivavoce.config.trigger import ControlSettings, TriggerSettings

DeviceChoice: TypeAlias = str | int | list[str | int] | None


class CaptureSettings(Section, frozen=True, kw_only=True):
    """Where the sound comes from."""

    source: Annotated[
        str, Meta(description="`mic`, a path of a recording, or `-` for standard input.")
    ] = "mic"
    device: Annotated[
        DeviceChoice,
        Meta(
            description="Microphone: a name (or a part of one), an index of `vivavoce devices`, or "
            "a list of them, best first. Nothing: the system's default."
        ),
    ] = None
    pace: Annotated[
        Literal["realtime", "max"],
        Meta(description="How fast a recording is played: as spoken, or as fast as it decodes."),
    ] = "realtime"
    block_ms: Annotated[
        Literal[32, 64, 96, 128, 256, 512],
        Meta(
            description="Shortest audio block (a multiple of the VAD's 32 ms); `power` makes those "
            "of a microphone longer while nobody speaks."
        ),
    ] = 32
    ring_s: Annotated[
        int,
        Meta(
            ge=1,
            le=600,
            description="Seconds of microphone audio kept while the pipeline is busy; beyond it "
            "the newest audio is lost and told as a gap.",
        ),
    ] = 30


class VadSettings(Section, frozen=True, kw_only=True):
    """When somebody speaks: the energy gate, Silero, and the segmenter."""

    gate: Annotated[
        bool, Meta(description="Ask Silero only about audio louder than the noise floor.")
    ] = True
    gate_margin_db: Annotated[
        float, Meta(ge=0.0, le=40.0, description="How far above the noise floor the gate opens.")
    ] = 4.0
    threshold: Annotated[
        Probability, Meta(description="Speech probability at which speech begins.")
    ] = 0.5
    release_threshold: Annotated[
        Probability, Meta(description="Speech probability below which speech is over.")
    ] = 0.35
    min_speech_ms: Annotated[
        Milliseconds, Meta(description="Speech shorter than this is a noise, not an utterance.")
    ] = 96
    pre_roll_ms: Annotated[
        Milliseconds, Meta(description="Audio kept from before the onset of speech.")
    ] = 640
    hangover_ms: Annotated[
        Milliseconds, Meta(description="Audio kept after the end of speech.")
    ] = 480
    pause_ms: Annotated[
        Milliseconds,
        Meta(description="Silence that is a pause: words before it are complete."),
    ] = 300
    end_silence_ms: Annotated[
        Milliseconds,
        Meta(
            description="Silence after which what was said is final. A shorter pause ends no "
            "sentence."
        ),
    ] = 1_500


EncoderContext: TypeAlias = Literal["trimmed", "full", "auto"]


class TranscriptionSettings(Section, frozen=True, kw_only=True):
    """Which engine turns speech into text, and how."""

    engine: Annotated[
        Literal["auto", "faster-whisper", "pocketsphinx"],
        Meta(
            description="`auto` is faster-whisper, or the bundled pocketsphinx (with a warning) "
            "when no Whisper model is at hand and none can be fetched."
        ),
    ] = "auto"
    model: Annotated[
        str,
        Meta(
            description="Whisper model: a name such as `base.en`, a CTranslate2 directory, or "
            "`auto`: the most accurate that keeps up here (see `vivavoce models recommend`)."
        ),
    ] = "base.en"
    task: Annotated[
        Literal["transcribe", "translate"],
        Meta(description="`translate`: into English, with a model that knows other languages."),
    ] = "transcribe"
    language: Annotated[
        str | None,
        Meta(
            description="A code such as `en`, also as `pt-BR` or `German`; nothing or `auto`: it "
            "is found out, and changes only where another is clearly heard."
        ),
    ] = None
    languages: Annotated[
        list[str],
        Meta(description="Found out among these alone, as `[en, de]`; none: among all."),
    ] = field(default_factory=list)
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="`auto` is CUDA where it loads and works, else the CPU."),
    ] = "auto"
    compute_type: Annotated[
        Literal["auto", "int8", "int8_float16", "int8_float32", "float16", "float32"],
        Meta(description="Precision; `auto` is int8 on a CPU and float16 on CUDA."),
    ] = "auto"
    threads: Annotated[
        int, Meta(ge=0, le=256, description="Threads of the engine; 0: one per core.")
    ] = 0
    python: Annotated[
        str | None,
        Meta(
            description="The Python (3.11 or later, with vivavoce installed) that runs the engine: "
            "a path, or a name on PATH. Nothing: the one that this program runs in; a packaged "
            "(frozen) program has none that could be started, and must name one."
        ),
    ] = None
    offline: Annotated[
        bool, Meta(description="Never fetch a model; use only what is on this machine.")
    ] = False
    beam_size: Annotated[
        int, Meta(ge=1, le=20, description="Beam of the final decoding; 1 is greedy.")
    ] = 5
    temperature_fallback: Annotated[
        bool,
        Meta(description="Decode again, less greedily, when a result looks bad (as Whisper does)."),
    ] = True
    word_times: Annotated[bool, Meta(description="Times and probabilities of words in finals.")] = (
        True
    )
    initial_prompt: Annotated[
        str | None, Meta(description="Text that sets the style and the vocabulary.")
    ] = None
    hotwords: Annotated[str | None, Meta(description="Words to expect, separated by spaces.")] = (
        None
    )
    draft: Annotated[
        str | None,
        Meta(
            description="A smaller, faster model for partials and instant finals; the text of "
            "`model` follows as a revision. Nothing: one model does both."
        ),
    ] = None
    final_context: Annotated[
        EncoderContext,
        Meta(
            description="Encoder context of finals. `full`: 30 s, exactly as offline; `trimmed`: "
            "the audio and a margin, many times cheaper; `auto`: trimmed, and again in full where "
            "the result looks bad."
        ),
    ] = "full"
    partial_context: Annotated[
        EncoderContext, Meta(description="Encoder context of partials; as `final_context`.")
    ] = "auto"
    context_margin_ms: Annotated[
        int,
        Meta(ge=0, le=30_000, description="What a trimmed context keeps beyond the audio."),
    ] = 2_560
    forced_prefix: Annotated[
        bool, Meta(description="Decode only what follows the words that are stable already.")
    ] = True
    partials: Annotated[bool, Meta(description="Show words while they are being spoken.")] = True
    partial_interval_ms: Annotated[
        int,
        Meta(
            ge=50,
            le=600_000,
            description="Shortest time between partials; longer where `partial_cpu_share` says so.",
        ),
    ] = 250
    partial_cpu_share: Annotated[
        float,
        Meta(
            gt=0.0,
            le=1.0,
            description="Largest share of one core that partials may take while someone speaks, "
            "by the engine's measured cost.",
        ),
    ] = 0.25
    final_cpu_share: Annotated[
        float,
        Meta(
            gt=0.0,
            le=1.0,
            description="Largest share of one core that exact decodings may take while someone "
            "speaks; what must be final (a long silence, a released key, a full window) does not "
            "wait for it.",
        ),
    ] = 0.2
    longest_window_ms: Annotated[
        int,
        Meta(
            ge=5_000,
            le=29_800,
            description="Longest piece of speech with its pauses that is decoded at once.",
        ),
    ] = 28_000
    hold_back_words: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description="So many last words of a partial are shown only when they are probable: "
            "they may have been cut in the middle. 0: shown at once.",
        ),
    ] = 2
    hold_back_probability: Annotated[
        Probability,
        Meta(
            description="How probable such a word must be. More: steadier, and later; the curve "
            "is in `vivavoce bench stream --curve`."
        ),
    ] = 0.6
    overload_ladder: Annotated[
        bool,
        Meta(
            description="When the engine cannot keep up: fewer partials, then none, then cheaper "
            "finals. Off: finals are always exact, however late."
        ),
    ] = True
    max_lag_ms: Annotated[
        int,
        Meta(
            ge=500,
            le=600_000,
            description="Lag (speech not yet final) above which `overload_ladder` climbs.",
        ),
    ] = 6_000
    batch_size: Annotated[
        int,
        Meta(ge=1, le=32, description="Utterances decoded side by side at maximum pace."),
    ] = 8
    max_pending: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Ended utterances that may wait for their final; beyond it, capture waits.",
        ),
    ] = 4
    max_engine_restarts: Annotated[
        int,
        Meta(ge=0, le=100, description="Engine restarts per minute before the run gives up."),
    ] = 5


class SubtitleSettings(Section, frozen=True, kw_only=True):
    """How `srt` and `vtt` are cut into cues: what people can read."""

    line_characters: Annotated[
        int,
        Meta(ge=10, le=200, description="Longest line; wide characters count double."),
    ] = 42
    lines: Annotated[int, Meta(ge=1, le=4, description="Most lines of a cue.")] = 2
    shortest_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description="A cue stands at least so long, where the next one leaves room for it.",
        ),
    ] = 1_000
    longest_ms: Annotated[
        int, Meta(ge=500, le=60_000, description="A cue stands at most so long.")
    ] = 7_000
    characters_per_second: Annotated[
        float,
        Meta(
            ge=1.0,
            le=200.0,
            description="Fastest reading: a cue is held into the silence behind it, and cut "
            "elsewhere, to stay below this where the speech allows it.",
        ),
    ] = 20.0


class CaptionSettings(Section, frozen=True, kw_only=True):
    """How captions look on standard output."""

    format: Annotated[
        Literal["text", "jsonl", "srt", "vtt"],
        Meta(description="`text` is a live view on a terminal and plain lines elsewhere."),
    ] = "text"
    colour: Annotated[
        Literal["auto", "always", "never"],
        Meta(description="`auto`: on a terminal, unless NO_COLOR is set."),
    ] = "auto"
    subtitles: SubtitleSettings = field(default_factory=SubtitleSettings)


Severity: TypeAlias = Literal["debug", "info", "warning", "error"]


class LogSettings(Section, frozen=True, kw_only=True):
    """What is logged: to standard error, or by a program of yours as it likes."""

    level: Annotated[
        Severity | None,
        Meta(
            description="Least severity shown. Not set: `warning`; in a program that embeds the "
            "pipeline, what its `logging` lets through."
        ),
    ] = None
    levels: Annotated[
        dict[str, Severity],
        Meta(description="The same for single components, as `capture: info`."),
    ] = field(default_factory=dict)
    format: Annotated[
        Literal["console", "json"], Meta(description="For people, or for machines.")
    ] = "console"
    captions: Annotated[
        bool, Meta(description="Allow caption text in debug logs. Off: it never appears in logs.")
    ] = False


class SupervisorSettings(Section, frozen=True, kw_only=True):
    """How failed actors are restarted."""

    max_restarts: Annotated[
        int, Meta(ge=0, le=1000, description="Restarts of one actor within `within_s`.")
    ] = 3
    within_s: Annotated[
        float, Meta(gt=0.0, description="The period in which restarts are counted.")
    ] = 60.0
    backoff_ms: Annotated[
        Milliseconds, Meta(description="Wait before the first restart; doubles each time.")
    ] = 100
    max_backoff_ms: Annotated[Milliseconds, Meta(description="Longest wait.")] = 5_000


class Profile(Section, frozen=True, kw_only=True):
    """A complete profile: what `vivavoce run PROFILE` does."""

    description: Annotated[str, Meta(description="One line for `vivavoce profiles`.")] = ""
    persistence: Annotated[
        bool,
        Meta(
            description="Off: nothing that was said is written to disk by this program, whatever "
            "the other settings say: no history, no audio, no text in logs."
        ),
    ] = True
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    transcription: TranscriptionSettings = field(default_factory=TranscriptionSettings)
    cleanup: CleanupSettings = field(default_factory=CleanupSettings)
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    injection: InjectionSettings = field(default_factory=InjectionSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    applications: Annotated[
        list[ApplicationSettings],
        Meta(description="Settings for single applications, by the class of their windows."),
    ] = field(default_factory=list)
    control: ControlSettings = field(default_factory=ControlSettings)
    log: LogSettings = field(default_factory=LogSettings)
    supervisor: SupervisorSettings = field(default_factory=SupervisorSettings)
    power: PowerSettings = field(default_factory=PowerSettings)
    targets: TargetSettings = field(default_factory=TargetSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
