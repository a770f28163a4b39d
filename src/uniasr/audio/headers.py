"""What the first bytes of a file say: its kind, and whether the file holds as much as its header promises.

libsndfile reads a cut wav or Ogg file as a short one without a word; here it is an error. Nothing is decoded.
Sources: Microsoft RIFF specification, EBU Tech 3306 (RF64), RFC 3533 (Ogg), id3.org (ID3v2), Xing and LAME tags.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Literal, TypeAlias

from uniasr.errors import AudioError

Kind: TypeAlias = Literal["wav", "ogg", "mp3", "other", "container"]

UNKNOWN_LENGTH = 0x7FFF0000
"""Recorders that write a wav to a pipe claim more than this: SoX 2^31 - 4096 or a little less, arecord 2^31,
FFmpeg 2^32 - 1."""
_OGG_FIRST = 2
_OGG_LARGEST_PAGE = 65_307
_DEMUXERS = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\xff\xf1": "aac",
    b"\xff\xf9": "aac",
    b"\x30\x26\xb2\x75": "asf",
    b"#!AMR": "amr",
}
"""Matroska and WebM, raw AAC, Windows Media, AMR by their first bytes."""

_MPEG_RATES_HZ = (44_100, 48_000, 32_000)
"""Of MPEG 1; a half of it in MPEG 2, a quarter in 2.5."""
_LOW_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_KBPS = {
    (1, 1): tuple(range(32, 480, 32)),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): _LOW_KBPS,
    (2, 3): _LOW_KBPS,
}
"""Bit rates by version (1, or 2 and 2.5) and layer."""


def sniff(head: bytes) -> Kind | None:
    """Kind of file that starts with `head` (16 bytes are enough), None if it is no audio that is known here."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:3] == b"ID3" or _is_mpeg_frame(head):
        return "mp3"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "other"
    if head.startswith((b"fLaC", b".snd", b"caff", b"NIST_1A", b"riff\x2e\x91\xcf\x11")):
        return "other"
    return "container" if demuxer(head) else None


def demuxer(head: bytes) -> str | None:
    """FFmpeg's name for the format of a file that only FFmpeg reads, None for others.

    Left to guess, FFmpeg also takes texts that name other files or network addresses for media.
    """
    if head[4:8] == b"ftyp":
        return "mov"
    return next((name for start, name in _DEMUXERS.items() if head.startswith(start)), None)


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame header is there: sync, a layer, a bit rate, a sample rate, none of them reserved."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    return head[1] & 0x18 != 0x08 and head[1] & 0x06 != 0 and head[2] >> 4 != 15 and head[2] & 0x0C != 0x0C


def frame_bytes(head: bytes) -> int | None:
    """Length of the MPEG audio or AAC (ADTS) frame that begins here, from its first 6 bytes; None where none does.

    Where another one follows behind it, these are no raw samples. Source: ISO 11172-3, 13818-3 and 13818-7.
    """
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if not _is_mpeg_frame(head) or not head[2] >> 4:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate = _MPEG_RATES_HZ[head[2] >> 2 & 3] // {3: 1, 2: 2, 0: 4}[version]
    bit_rate = 1000 * _MPEG_KBPS[1 if version == 3 else 2, layer][(head[2] >> 4) - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12 * bit_rate // rate + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bit_rate // rate + padding


def complete(file: BinaryIO, kind: Kind, name: str) -> BinaryIO:
    """File, at its start, once it is known to hold what its header promises; AudioError if it was cut.

    A wav whose writer could not go back to fill in the sizes comes back as a copy in memory that reads to the end.
    """
    size = file.seek(0, io.SEEK_END)
    if kind == "wav":
        unfinished = _check_wav(file, size, name)
        if unfinished is not None:
            file = _with_open_end(file, unfinished)
    elif kind == "ogg":
        _check_ogg(file, size, name)
    else:
        file.seek(0)
        promised = _promised_bytes(file.read(24))
        # One byte may be missing: some writers count the padding of the last chunk and leave it out.
        if size + 1 < promised < UNKNOWN_LENGTH:
            raise truncated(name, f"its header promises {promised} bytes and there are {size}")
    file.seek(0)
    return file


def truncated(name: str, why: str) -> AudioError:
    """Error for a file that ends too early."""
    return AudioError(f"{name} is truncated: {why}; copy or record it again")


def _promised_bytes(head: bytes) -> int:
    """Size of the whole file that AIFF, AU and W64 headers state; 0 for others, whose decoders notice a cut."""
    if head[:4] == b"FORM":
        return int.from_bytes(head[4:8], "big") + 8
    if head[:4] == b".snd":
        return int.from_bytes(head[4:8], "big") + int.from_bytes(head[8:12], "big")
    return int.from_bytes(head[16:24], "little") if head[:4] == b"riff" else 0


def _check_wav(file: BinaryIO, size: int, name: str) -> int | None:
    """Walk the chunks up to the samples; give the place of a data size that was never filled in, else None."""
    file.seek(0)
    head = file.read(12)
    order: Literal["little", "big"] = "big" if head[:4] == b"RIFX" else "little"
    riff_end = int.from_bytes(head[4:8], order) + 8
    long_size = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        chunk = file.read(24)
        length = int.from_bytes(chunk[4:8], order)
        if chunk[:4] == b"ds64":
            long_size = int.from_bytes(chunk[16:24], "little")
        if chunk[:4] == b"data":
            there = size - at - 8
            if length == 0 and there and abs(riff_end - size) > 1:
                return at + 4
            if length == 0xFFFFFFFF and long_size is not None:
                length = long_size
            if length > there and (length < UNKNOWN_LENGTH or length == long_size):
                raise truncated(name, f"its header promises {length} bytes of samples and there are {there}")
            return None
        at += 8 + length + length % 2
    raise truncated(name, "it ends before its samples")


def _with_open_end(file: BinaryIO, size_at: int) -> BinaryIO:
    file.seek(0)
    data = bytearray(file.read())
    data[size_at : size_at + 4] = b"\xff\xff\xff\xff"
    return io.BytesIO(data)


def _begins_anew(file: BinaryIO, size: int) -> bool:
    """Whether a page behind those at the beginning says that it begins a stream."""
    at, inside = 0, False
    while at + 27 <= size:
        file.seek(at)
        header = file.read(27 + 255)
        if header[:4] != b"OggS":
            return False  # damaged; the decoder finds out
        first = bool(header[5] & _OGG_FIRST)
        if first and inside:
            return True
        inside = not first
        at += 27 + header[26] + sum(header[27 : 27 + header[26]])
    return False


def _check_ogg(file: BinaryIO, size: int, name: str) -> None:
    """Check that the last page is whole, and that there is one stream, as libsndfile reads only the first of several.

    A missing end mark is no fault: live recordings have none.
    """
    if _begins_anew(file, size):
        raise AudioError(f"{name} is several Ogg files in one (joined files); convert it to wav or flac")
    file.seek(max(0, size - 2 * _OGG_LARGEST_PAGE))
    tail = file.read()
    page = tail.rfind(b"OggS\0")
    if page < 0:
        return
    header = tail[page : page + 27]
    segments = header[26] if len(header) == 27 else 256
    table = tail[page + 27 : page + 27 + segments]
    end = page + 27 + segments + sum(table)
    after = tail[end:]
    if len(table) < segments or end > len(tail) or (after and b"OggS\0".startswith(after)):
        raise truncated(name, "its last Ogg page is not complete")


def states_length(file: BinaryIO) -> bool:
    """Whether an mp3 file carries a tag with its number of frames (Xing, Info, VBRI); leaves it at its start."""
    file.seek(0)
    head = file.read(10)
    tag = 0
    if head[:3] == b"ID3" and len(head) == 10:
        tag = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(tag)
    frame = file.read(256)
    file.seek(0)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))
