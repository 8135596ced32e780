"""Histograms of durations that can be added up and that fit into a few hundred octets. Pure.

A bucket covers 1/16 in the natural logarithm of milliseconds, so that a quantile read out of it is
within 3.2 % of the exact one. There are 256 buckets, the last one for everything above 2.3 hours.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import chain

Counts = dict[int, int]
PER_E = 16
LAST = 255
_PAIR = struct.Struct("<BI")
_COUNT = struct.Struct("<I")
MOST = 2**32 - 1


def bucket_of(milliseconds: float) -> int:
    """The bucket of a duration; 1 ms and less are in the first."""
    if milliseconds <= 1:
        return 0
    return min(LAST, int(PER_E * math.log(milliseconds)))


def milliseconds_of(bucket: int) -> int:
    """The middle of a bucket, in ms."""
    return round(math.exp((bucket + 0.5) / PER_E))


def packed(counts: Mapping[int, int]) -> bytes:
    """Five octets for each bucket that is not empty."""
    if max(counts.values(), default=0) > MOST:
        counts = {bucket: min(MOST, count) for bucket, count in counts.items()}
    return _pairs(len(counts)).pack(*chain.from_iterable(sorted(counts.items())))


@cache
def _pairs(count: int) -> struct.Struct:
    """Packs all pairs of a histogram at once: each sum of the history is packed at each prompt."""
    return struct.Struct("<" + "BI" * count)


def packed_with(stored: bytes, more: Mapping[int, int]) -> bytes:
    """What is packed, and more. One more in a bucket that is there changes four octets."""
    if not more:
        return stored
    octets, buckets = bytearray(stored), stored[:: _PAIR.size]
    for bucket, count in more.items():
        place = _PAIR.size * buckets.find(bucket) + 1
        if place < 0 or len(stored) % _PAIR.size:
            counts = unpacked(stored)
            add(counts, more)
            return packed(counts)
        (before,) = _COUNT.unpack_from(octets, place)
        _COUNT.pack_into(octets, place, min(MOST, before + count))
    return bytes(octets)


def unpacked(stored: bytes) -> Counts:
    """What `packed` made; an incomplete end is left out."""
    whole = len(stored) - len(stored) % _PAIR.size
    return dict(_PAIR.iter_unpack(stored[:whole]))  # type: ignore[arg-type]


def added_up(stored: bytes) -> Counts:
    """The sum of any number of packed ones, one after the other.

    Those of hours that have passed are the same at each look, so their sum is remembered by them.
    """
    return dict(_added_up(stored))


# Two of each stretch of a chart and of the time before it: some hundred for a page, 8 kB each.
@lru_cache(maxsize=512)
def _added_up(stored: bytes) -> Counts:
    counts = [0] * (LAST + 1)
    for bucket, count in _PAIR.iter_unpack(stored):
        counts[bucket] += count
    return {bucket: counts[bucket] for bucket in set(stored[:: _PAIR.size])}


def add(counts: Counts, more: Mapping[int, int]) -> None:
    """Add a histogram to another one."""
    for bucket, count in more.items():
        counts[bucket] = counts.get(bucket, 0) + count


def of(durations: Iterable[float | None]) -> Counts:
    """The histogram of durations in ms; unknown ones are left out."""
    counts: Counts = {}
    for milliseconds in durations:
        if milliseconds is not None:
            bucket = bucket_of(milliseconds)
            counts[bucket] = counts.get(bucket, 0) + 1
    return counts


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The duration within which `share` (0 to 1) of all lie, in ms; None of nothing."""
    wanted = math.ceil(share * sum(counts.values()))
    so_far = 0
    for bucket in sorted(counts):
        so_far += counts[bucket]
        if so_far >= wanted:
            return milliseconds_of(bucket)
    return None
