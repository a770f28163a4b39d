"""Whether bytes are an audio file or raw samples.

`uniasr.audio.headers.sniff` is asked about files, where a false alarm costs nothing. Raw samples may begin with any
bytes, and quiet ones often with those of an MPEG frame, so here a frame counts only if another one follows it.
"""

from __future__ import annotations

from uniasr.audio.headers import sniff

# Layer 3, ISO 11172-3 and 13818-3: kbit/s by index, and samples per second.
_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44_100, 48_000, 32_000)
_FRAMES_WANTED = 3


def holds_a_file(data: bytes) -> bool:
    """Whether the bytes begin like an audio file and not like raw 16-bit samples."""
    kind = sniff(data[:16])
    return kind is not None and (data[0] != 0xFF or _mpeg_frames(data) >= _FRAMES_WANTED)


def _mpeg_frames(data: bytes) -> int:
    """Layer 3 frames that follow each other from the start on, at most as many as are wanted."""
    place, count = 0, 0
    while count < _FRAMES_WANTED and (length := _frame_length(data[place : place + 4])):
        place, count = place + length, count + 1
    return count


def _frame_length(head: bytes) -> int:
    """Bytes of the frame with this header, 0 if it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # sync and layer 3
        return 0
    version = head[1] >> 3 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return 0
    kbits = _KBITS[1 if version == 3 else 2][bits]
    rate_hz = _RATES_HZ[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if version == 3 else 72) * kbits * 1000 // rate_hz + (head[2] >> 1 & 1)
