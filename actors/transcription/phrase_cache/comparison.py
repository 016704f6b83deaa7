"""Whether two recordings are the same sound: strict, because a false match is a false text.

The question is not whether two phrases resemble each other but whether one recording is the other
one up to its volume, its beginning, and steady noise. So both are given the other's noise, and then
everything that stands out of the noise must be equal within what noise explains: over the whole
phrase, over every 200 ms, and over every 50 ms. Where noise hides sound that the cleaner recording
shows, there is no evidence, and without evidence there is no match.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.actors.transcription.phrase_cache.fingerprint import (
    FRAME,
    HOP,
    Levels,
    Samples,
    band_widths,
    decibels,
    log_mel_levels,
)

LARGEST_SHIFT_FRAMES = 12
"""How much earlier or later a phrase may begin: 120 ms."""

LARGEST_LENGTH_DIFFERENCE_FRAMES = 80
"""How much the lengths may differ (only silence may be missing or added): 800 ms."""

_COARSE_SHIFTS = (0, -HOP // 4, HOP // 4, -HOP // 2, HOP // 2)
_FINE_SHIFTS = (0, -HOP // 8, HOP // 8)
_FEWEST_FRAMES = 20
_PART_FRAMES = 60
_QUIET_SHARE = 0.12  # the share of frames that tell the noise
_LEAST_NOISE_DB = 22.0  # the rounding noise of 16-bit audio with a margin
_CONTOUR_RANGE_DB = 30.0
_STANDS_OUT_DB = 9.0
_LEAST_SNR_DB = 22.0  # of the louder half; about 19 of the whole: below, "fin" is as "thin"
_HEARD_RANGE_DB = 35.0  # sound further below the loudest frames is not missed
_FEWEST_CELLS = 2
_LARGEST_CELL_DB = 20.0

_LEAST_ALIGNMENT = 0.8
_LEAST_CORRELATION = 0.97
_LEAST_WINDOW_CORRELATION = 0.93
_LARGEST_DIFFERENCE_DB = 1.4
_WINDOWS = (
    # frames, fewest cells that stand out, largest root mean square difference in dB
    (20, 60, 2.2),
    (10, 40, 2.3),
    (5, 20, 3.0),
)
_LONGEST_HIDDEN_FRAMES = 4
_LONGEST_UNPAIRED_FRAMES = 2

Decibels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two recordings compare.

    Attributes:
        shift: samples by which the phrase begins later in the first than in the second.
        gain_db: how much louder the first is.
        correlation: of all the levels above the noise, their means subtracted.
        window_correlation: the least of those of each 200 ms.
        difference_db: root mean square over all cells that stand out of the noise.
        window_difference_db: the largest over each 200, 100 and 50 ms.
        hidden_frames: the longest run of sound that noise hides in one of them.
        unpaired_frames: frames of sound that only one of them has, before or after the other.
    """

    shift: int
    gain_db: float
    correlation: float
    window_correlation: float
    difference_db: float
    window_difference_db: tuple[float, ...]
    hidden_frames: int
    unpaired_frames: int

    @property
    def same(self) -> bool:
        """Whether the two are the same sound."""
        return (
            self.correlation >= _LEAST_CORRELATION
            and self.window_correlation >= _LEAST_WINDOW_CORRELATION
            and self.difference_db <= _LARGEST_DIFFERENCE_DB
            and all(
                difference <= limit
                for difference, (_, _, limit) in zip(
                    self.window_difference_db, _WINDOWS, strict=True
                )
            )
            and self.hidden_frames <= _LONGEST_HIDDEN_FRAMES
            and self.unpaired_frames <= _LONGEST_UNPAIRED_FRAMES
        )


def compare(pcm: Samples, levels: Levels, other: Levels) -> Comparison | None:
    """Compare a phrase with the levels of another one.

    Args:
        pcm: the phrase: it is framed anew to find a shift that is no multiple of 10 ms.
        levels: its levels.
        other: the levels of the other phrase.

    Returns:
        None where they are clearly different, too short, or never rise above their noise.
    """
    if abs(len(levels) - len(other)) > LARGEST_LENGTH_DIFFERENCE_FRAMES:
        return None
    if min(len(levels), len(other)) < _FEWEST_FRAMES:
        return None
    ours, theirs = _Side.of(decibels(levels)), _Side.of(decibels(other))
    if not (ours.clear and theirs.clear):
        return None
    similarity, frames = _align(ours.contour, theirs.contour)
    if similarity < _LEAST_ALIGNMENT:
        return None
    shift, similarity = _refine(pcm, ours, theirs, frames)
    if similarity < _LEAST_WINDOW_CORRELATION:
        return None
    if shift % HOP:
        ours = ours.framed_anew(decibels(log_mel_levels(pcm, shift % HOP)))
    return _compare(ours, theirs, shift)


@dataclass(frozen=True, slots=True)
class _Side:
    """One recording.

    Attributes:
        level: in dB, shape (frames, bands).
        noise: power in each band, shape (bands,).
        floor: in dB, shape (bands,): the noise, or the loudest minus a range if that is higher,
            so that the contour of a recording stays the same when it gets noisy.
        contour: what of the level is above the floor.
    """

    level: Decibels
    noise: Decibels
    floor: Decibels
    contour: Decibels

    @classmethod
    def of(cls, level: Decibels) -> _Side:
        noise = _noise(level)
        loudest = np.quantile(level, 0.99) - np.float32(_CONTOUR_RANGE_DB)
        floor = np.maximum(_in_db(noise) + np.float32(3.0), loudest)
        return cls(level, noise, floor, np.maximum(level - floor, 0.0))

    def framed_anew(self, level: Decibels) -> _Side:
        """The same recording in other frames."""
        return _Side(level, self.noise, self.floor, np.maximum(level - self.floor, 0.0))

    @property
    def clear(self) -> bool:
        """Whether the louder half of it is well above the noise.

        A steady sound is its own noise, so this also keeps out what holds nothing but such.
        """
        power = np.sort(np.einsum("tb,b->t", _power(self.level), band_widths()))
        noise = float(np.einsum("b,b->", self.noise, band_widths()))
        return bool(power[len(power) // 2 :].mean() >= noise * 10.0 ** (_LEAST_SNR_DB / 10.0))


def _noise(level: Decibels) -> Decibels:
    """The mean power in each band over the quietest frames: shape (bands,)."""
    quiet = min(len(level), max(8, int(len(level) * _QUIET_SHARE)))
    quietest = np.argpartition(level.sum(axis=1), quiet - 1)[:quiet]
    least = np.float32(10.0 ** (_LEAST_NOISE_DB / 10.0))
    mean: Decibels = _power(level[quietest]).mean(axis=0)
    return np.maximum(mean, least)


def _align(ours: Decibels, theirs: Decibels) -> tuple[float, int]:
    """The best similarity over all shifts, and the shift: ``ours[t + shift]`` is ``theirs[t]``."""
    shifts = range(-LARGEST_SHIFT_FRAMES, LARGEST_SHIFT_FRAMES + 1)
    scale = float(np.sqrt(_product(ours, ours) * _product(theirs, theirs))) or 1.0
    return max((_product(*_overlap(ours, theirs, shift)) / scale, shift) for shift in shifts)


def _refine(pcm: Samples, ours: _Side, theirs: _Side, frames: int) -> tuple[int, float]:
    """The shift in samples under which the two agree best, and the correlation then.

    Found on the part with the most contour, since framing anew is most of a comparison's cost.
    """
    part = _richest_part(theirs.contour, frames, len(ours.level))
    samples = (part.stop - part.start - 1) * HOP + FRAME
    agreement: dict[int, float] = {}

    def agree(shift: int) -> float:
        first = part.start * HOP + shift
        if shift not in agreement and first >= 0:
            level = decibels(log_mel_levels(pcm[first : first + samples]))
            contour = ours.framed_anew(level).contour
            agreement[shift] = _correlation(*_overlap(contour, theirs.contour[part], 0))
        return agreement.get(shift, -1.0)

    coarse = max((frames * HOP + part_of_hop for part_of_hop in _COARSE_SHIFTS), key=agree)
    shift = max((coarse + part_of_hop for part_of_hop in _FINE_SHIFTS), key=agree)
    return shift, agree(shift)


def _richest_part(theirs: Decibels, frames: int, available: int) -> slice:
    """The second of ``theirs`` with most contour that has its counterpart in the other."""
    first, last = max(0, -frames), min(len(theirs), available - frames)
    width = min(_PART_FRAMES, last - first)
    sums = np.convolve(theirs[first:last].sum(axis=1), np.ones(width), "valid")
    start = first + int(sums.argmax())
    return slice(start, start + width)


def _compare(ours: _Side, theirs: _Side, shift: int) -> Comparison | None:
    frames = shift // HOP
    our_level, their_level = _overlap(ours.level, theirs.level, frames)
    gain = _gain(our_level - _in_db(ours.noise), their_level - _in_db(theirs.noise))
    if gain is None:
        return None
    gain_db = float(np.median((our_level - their_level)[gain]))
    their_noise: Decibels = theirs.noise * np.float32(10.0 ** (gain_db / 10.0))
    our_power = _power(our_level)
    their_power = _power(their_level + np.float32(gain_db))
    noise_db = _in_db(ours.noise + their_noise)
    # Each with the other's noise: now both should read the same.
    first, second = _in_db(our_power + their_noise), _in_db(their_power + ours.noise)
    stands_out = np.maximum(first, second) > noise_db + np.float32(_STANDS_OUT_DB)
    squared = np.where(stands_out, np.minimum(np.abs(first - second), _LARGEST_CELL_DB) ** 2, 0.0)
    above = noise_db + np.float32(3.0)
    first, second = np.maximum(first - above, 0.0), np.maximum(second - above, 0.0)
    cells = stands_out.sum(axis=1)
    if not cells.any():
        return None
    heard = _heard(our_power, ours.noise) | _heard(their_power, their_noise)
    return Comparison(
        shift=shift,
        gain_db=gain_db,
        correlation=_correlation(first, second),
        window_correlation=_window_correlation(first, second, cells),
        difference_db=float(np.sqrt(squared.sum() / cells.sum())),
        window_difference_db=tuple(
            _window_difference(squared.sum(axis=1), cells, width, fewest)
            for width, fewest, _ in _WINDOWS
        ),
        hidden_frames=_longest_run(heard & (cells < _FEWEST_CELLS)),
        unpaired_frames=_unpaired(ours, theirs, frames),
    )


def _gain(our_excess: Decibels, their_excess: Decibels) -> NDArray[np.bool_] | None:
    """The cells that stand out in both; None where there are too few to compare by."""
    both = (our_excess > _STANDS_OUT_DB + 3.0) & (their_excess > _STANDS_OUT_DB + 3.0)
    return both if np.count_nonzero(both) >= _FEWEST_FRAMES * _FEWEST_CELLS else None


def _heard(power: Decibels, noise: Decibels) -> NDArray[np.bool_]:
    """Frames that hold sound: clear of their own noise, and not far below the loudest.

    As strict as what stands out of the noise of two recordings if theirs is the same.
    """
    clear = power > noise * np.float32(2.0 * 10.0 ** (_STANDS_OUT_DB / 10.0))
    total = power.sum(axis=1)
    loud = total > total.max() * 10.0 ** (-_HEARD_RANGE_DB / 10.0)
    return np.asarray(loud & (clear.sum(axis=1) >= 2 * _FEWEST_CELLS))


def _unpaired(ours: _Side, theirs: _Side, frames: int) -> int:
    """Frames of sound outside of what the two recordings share."""
    shared = min(len(ours.level) - max(0, frames), len(theirs.level) - max(0, -frames))
    unpaired = 0
    for side, start in ((ours, max(0, frames)), (theirs, max(0, -frames))):
        heard = _heard(_power(side.level), side.noise)
        unpaired += int(heard[:start].sum() + heard[start + shared :].sum())
    return unpaired


def _overlap(ours: Decibels, theirs: Decibels, frames: int) -> tuple[Decibels, Decibels]:
    ours, theirs = ours[max(0, frames) :], theirs[max(0, -frames) :]
    shared = min(len(ours), len(theirs))
    return ours[:shared], theirs[:shared]


def _product(first: Decibels, second: Decibels) -> float:
    # einsum and not dot: BLAS would spread it over threads that wait for each other.
    return float(np.einsum("tb,tb->", first, second))


def _correlation(first: Decibels, second: Decibels) -> float:
    """The normalised correlation, means subtracted; 0 where one is constant or there is nothing."""
    if len(first) < 2:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt(_product(first, first) * _product(second, second)))
    return _product(first, second) / scale if scale > 0.0 else 0.0


def _window_correlation(first: Decibels, second: Decibels, cells: NDArray[np.int_]) -> float:
    """The least correlation within 200 ms, over all windows that have enough to compare."""
    width, fewest, _ = _WINDOWS[0]
    told = _sums(cells, width) >= fewest
    if not told.any():
        return 0.0
    count = min(width, len(first)) * first.shape[1]
    one, other = (_sums(side.sum(axis=1), width)[told] for side in (first, second))
    both, squared_one, squared_other = (
        _sums(np.einsum("tb,tb->t", *pair), width)[told]
        for pair in ((first, second), (first, first), (second, second))
    )
    spread = (squared_one - one * one / count) * (squared_other - other * other / count)
    return float(((both - one * other / count) / np.sqrt(np.maximum(spread, 1e-9))).min())


def _window_difference(
    squared: NDArray[np.floating], cells: NDArray[np.int_], width: int, fewest: int
) -> float:
    """The largest root mean square over all windows that have enough to compare."""
    sums, counts = _sums(squared, width), _sums(cells, width)
    told = counts >= fewest
    return float(np.sqrt((sums[told] / counts[told]).max())) if told.any() else _LARGEST_CELL_DB


def _sums(values: NDArray[np.generic], width: int) -> NDArray[np.float64]:
    """The sums over every window of that many frames; one sum where there are fewer."""
    sums = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    width = min(width, len(values))
    return np.asarray(np.maximum(sums[width:] - sums[: len(sums) - width], 0.0))


def _longest_run(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _power(level: Decibels) -> Decibels:
    power: Decibels = np.power(np.float32(10.0), level / np.float32(10.0))
    return power


def _in_db(power: Decibels) -> Decibels:
    level: Decibels = np.float32(10.0) * np.log10(power)
    return level
