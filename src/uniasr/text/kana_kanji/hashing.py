"""Tables by hash: a reading, a pair or a triple of words becomes a 64-bit number that a table finds in one step.

All functions work on whole arrays of uint64, whose products wrap around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from uniasr.types import F32, I64, Bool

U64: TypeAlias = npt.NDArray[np.uint64]

_PRIME = np.uint64(0x100000001B3)
_LEFT, _MIDDLE, _RIGHT = (np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_FINAL = np.uint64(0xD6E8FEB86659FD93)
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_MARK, _VALUE_BITS, _VALUE = np.uint64(0xFFFFFF), np.uint32(8), np.uint32(0xFF)


READING_BITS = 48
"""Of a reading's hash. Two of a hundred thousand readings share one with a probability of 2e-5."""
_READING_SHIFT = np.uint64(64 - READING_BITS)


def reading_hashes(codes: U64, longest: int) -> list[U64]:
    """Hashes of all substrings, by length: item `k` has those of length `k + 1`, by their start.

    Args:
        codes: [n] the characters.
        longest: length of the longest substrings.
    """
    hashes: list[U64] = []
    for length in range(1, min(longest, len(codes)) + 1):
        before = hashes[-1][:-1] if hashes else np.zeros(len(codes), np.uint64)
        hashes.append((before ^ codes[length - 1 :]) * _PRIME + _RIGHT)
    return [(part * _FINAL) >> _READING_SHIFT for part in hashes]


def left_part(words: U64) -> U64:
    """What a word adds to the hash of a pair or triple as its last but one."""
    return (words + np.uint64(1)) * _LEFT


def middle_part(words: U64) -> U64:
    """What a word adds to the hash of a triple as its first."""
    return (words + np.uint64(1)) * _MIDDLE


def right_part(words: U64) -> U64:
    """What a word adds to the hash of a pair or triple as its last."""
    return (words + np.uint64(1)) * _RIGHT


def mixed(keys: U64) -> U64:
    """Keys as hashes whose every bit depends on every bit of the key."""
    keys = (keys ^ (keys >> _HALF)) * _FINAL
    return (keys ^ (keys >> _HALF)) * _FINAL


def bucket(hashes: U64, count: int) -> U64:
    """The bucket of each hash, of `count`: its high half, scaled."""
    return ((hashes >> _HALF) * np.uint64(count)) >> _HALF


def slot(hashes: U64, shifts: U64, count: int) -> U64:
    """The slot of each hash, of `count`, with the shift of its bucket."""
    moved = (hashes + shifts * _LEFT) * _FINAL
    return ((moved >> _HALF) * np.uint64(count)) >> _HALF


@dataclass(frozen=True, slots=True, eq=False)
class HashSet:
    """Which hashes are in a set (Bloom 1970): never a wrong no, a wrong yes for one hash in a hundred or fewer."""

    bits: npt.NDArray[np.uint8]
    """Eight to a byte."""

    PROBES = 5

    def holds(self, hashes: U64) -> Bool:
        """Whether each hash is in the set."""
        places = _places(hashes, 8 * len(self.bits))
        found: Bool = ((self.bits[places >> 3] >> (places & 7).astype(np.uint8)) & 1).all(axis=0)
        return found

    @classmethod
    def of(cls, hashes: U64) -> HashSet:
        """The set of these hashes, in ten bits each."""
        found = np.zeros(8 * (10 * len(hashes) // 8 + 1), np.uint8)
        found[_places(hashes, len(found))] = 1
        return cls(np.packbits(found, bitorder="little"))


def _places(hashes: U64, count: int) -> I64:
    """[PROBES, n] places, of `count`, for each hash."""
    moved = mixed(hashes)
    turns = np.arange(HashSet.PROBES, dtype=np.uint64)[:, None]
    places: I64 = (((moved >> _HALF) + turns * (moved & _LOW)) % np.uint64(count)).astype(np.int64)
    return places


@dataclass(frozen=True, slots=True, eq=False)
class HashTable:
    """Numbers 0 to 255 by hash, without the keys: hash and displace (Belazzougui and others 2009), with 24-bit marks.

    A key that is not in the table is taken for one that is with a probability of 6e-8.
    """

    shifts: npt.NDArray[np.uint16]
    """[buckets]: what brings all keys of a bucket to slots of their own."""
    slots: npt.NDArray[np.uint32]
    """[slots]: the low 24 bits of the hash, then the number."""

    def find(self, keys: U64) -> tuple[Bool, F32, U64]:
        """Whether each key is in the table, its number (0 where it is not), and its slot."""
        hashes = mixed(keys)
        shifts = self.shifts[bucket(hashes, len(self.shifts))].astype(np.uint64)
        places = slot(hashes, shifts, len(self.slots))
        entries = self.slots[places]
        found = (entries >> _VALUE_BITS) == (hashes & _MARK).astype(np.uint32)
        return found, (entries & _VALUE).astype(np.float32), places
