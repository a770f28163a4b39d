"""Which rows make up which chunk: the geometry of overlapping chunks, without the rows themselves.

Chunk c keeps rows c * stride .. c * stride + stride - 1 and sees pad_left rows before and look_ahead rows after them.
Rows before the first and, in all chunks but the last, after the last one are zero and count as content; the very last
chunk ends with its stride part. Source: funasr 1.4.16 funasr/models/scama/chunk_utilis.py, overlap_chunk.
"""

from __future__ import annotations

import numpy as np

from uniasr.configs.uniasr import ChunkConfig
from uniasr.types import I64, Bool


def chunk_count(num_rows: int, chunk: ChunkConfig) -> int:
    """Chunks that num_rows rows are cut into."""
    return -(-num_rows // chunk.stride)


def source_rows(first_chunk: int, count: int, chunk: ChunkConfig) -> I64:
    """Row behind every place [count, size] of chunks first_chunk, ...; may lie before the start or after the end."""
    starts = np.arange(first_chunk, first_chunk + count, dtype=np.int64) * chunk.stride - chunk.pad_left
    return starts[:, np.newaxis] + np.arange(chunk.size, dtype=np.int64)


def rows_needed(index: int, chunk: ChunkConfig) -> int:
    """Rows that must be there before chunk `index` can be computed while the end is not known."""
    return (index + 1) * chunk.stride + chunk.look_ahead


def valid_rows(first_chunk: int, count: int, num_rows: int | None, chunk: ChunkConfig) -> Bool:
    """Which places [count, size] exist: all but those after the stride part of the very last chunk.

    `num_rows` is the length of the segment, None while it is not known.
    """
    valid = np.ones((count, chunk.size), np.bool_)
    last = -1 if num_rows is None else chunk_count(num_rows, chunk) - 1
    if num_rows is not None and first_chunk <= last < first_chunk + count:
        valid[last - first_chunk, chunk.pad_left + num_rows - last * chunk.stride :] = False
    return valid
