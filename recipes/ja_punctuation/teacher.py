"""How likely a comma is behind each word of the dictionary: a linear model over the words around the place.

What writers do with commas varies, and one of them is a noisy label. The model is fitted on three quarters of the
sentences at a time and asked about the others, which it has not seen; its answer is what the network learns beside the
comma that was written. It knows the source of a sentence, as habits differ from one to the next; the network does not.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from syntax import Morpheme

BUCKETS = 2**21
"""Features are hashed into so many weights, once for all sources and once for each."""
FOLDS, EPOCHS, ROWS = 4, 2, 2000
RATE, DECAY, DECAY_SOURCE = 0.08, 0.03, 0.2
SEED = 0


@dataclass(frozen=True)
class Places:
    """Ends of words, row by row: features `ids[starts[i]:starts[i + 1]]`, the sentence, its source, comma or not."""

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    sentences: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]
    commas: npt.NDArray[np.float32]


def features(words: Sequence[Morpheme]) -> list[list[str]]:
    """Features of the place behind each word but the last: words and parts of speech around it, lengths, clauses."""
    count = len(words)
    tags, coarse, surfaces = [w.tag for w in words], [w.coarse for w in words], [w.surface for w in words]
    ends = list(accumulate((len(w) for w in surfaces), initial=0))
    verbs = list(accumulate((c.startswith(("動詞", "形容詞")) for c in coarse), initial=0))
    closing = "/".join(tags[-2:])
    pairs = list(zip(surfaces, coarse, strict=True))
    topics = list(accumulate((word == "は" and tag.startswith("助詞") for word, tag in pairs), initial=0))
    subjects = list(accumulate((word == "が" and "格助詞" in tag for word, tag in pairs), initial=0))

    def at(row: Sequence[str], place: int) -> str:
        return row[place] if 0 <= place < count else "#"

    found = []
    for i in range(count - 1):
        before, after, size = min(ends[i + 1], 30) // 2, min(ends[-1] - ends[i + 1], 30) // 2, ends[-1] // 4
        t = {k: at(tags, i + k) for k in range(-3, 4)}
        s = {k: at(surfaces, i + k) for k in range(-3, 4)}
        clauses = f"{min(verbs[i + 1], 3)},{min(verbs[-1] - verbs[i + 1], 3)}"
        cases = f"{topics[i + 1]},{topics[-1] - topics[i + 1]},{subjects[i + 1]},{subjects[-1] - subjects[i + 1]}"
        repeats = min(tags.count(t[0]) - 1, 2)
        rows = [
            ("bias",), ("before", before), ("after", after), ("both", before, after), ("size", size),
            *(("t", k, t[k]) for k in t), *(("s", k, s[k]) for k in s),
            ("tt", t[0], t[1]), ("st", s[0], t[1]), ("ts", t[0], s[1]), ("ss", s[0], s[1]),
            ("tt-", t[-1], t[0]), ("ss-", s[-1], s[0]), ("ttt", t[-1], t[0], t[1]), ("ttt+", t[0], t[1], t[2]),
            ("tt+", t[1], t[2]), ("ttt-", t[-2], t[-1], t[0]), ("sss-", s[-2], s[-1], s[0]),
            ("t before", t[0], min(before, 8)), ("t after", t[0], min(after, 8)), ("t size", t[0], size),
            ("tt before", t[-1], t[0], min(before, 6)), ("s before", s[0], min(before, 8)),
            ("s after", s[0], min(after, 8)), ("clauses", clauses), ("t clauses", t[0], clauses),
            ("next clauses", t[1], clauses), ("closing", closing), ("t closing", t[0], closing), ("cases", cases),
            ("t cases", t[0], cases), ("repeats", t[0], repeats),
            ("opening", "/".join(surfaces[: i + 1]) if i < 3 else ""),
        ]  # fmt: skip
        found.append(["|".join(map(str, row)) for row in rows])
    return found


def hashed(names: Sequence[str]) -> list[int]:
    """The weights of features."""
    return [zlib.crc32(name.encode()) % BUCKETS for name in names]


def probabilities(places: Places, corpus: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Chance of a comma at each place [N], from a model that was fitted on other sentences of the corpus alone."""
    result = np.zeros(len(places.commas), np.float32)
    rng = np.random.default_rng(SEED)
    fold_of = rng.integers(FOLDS, size=int(places.sentences.max()) + 1)[places.sentences]
    for fold in range(FOLDS):
        weights = _fit(places, np.flatnonzero(corpus & (fold_of != fold)), rng)
        asked = np.flatnonzero(fold_of == fold)
        for rows in np.array_split(asked, len(asked) // ROWS + 1):
            result[rows] = _sigmoid(_scores(places, rows, weights)[0])
        own = asked[corpus[asked]]
        print(f"fold {fold}: best F1 {best_f1(result[own], places.commas[own]):.3f}", flush=True)
    return result


def best_f1(chances: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> float:
    """F1 at the threshold where it is highest."""
    hits = np.cumsum(wanted[np.argsort(-chances)])
    return float(np.max(2 * hits / (np.arange(1, len(wanted) + 1) + wanted.sum())))


def _fit(places: Places, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Weights [(1 + sources) * BUCKETS] of a logistic regression, by AdaGrad."""
    total = (2 + int(places.sources.max())) * BUCKETS
    weights, squares = np.zeros(total, np.float32), np.zeros(total, np.float32)
    for _ in range(EPOCHS):
        for chosen in np.array_split(rng.permutation(rows), len(rows) // ROWS):
            scores, ids, owner = _scores(places, chosen, weights)
            errors = (_sigmoid(scores) - places.commas[chosen])[owner]
            used, inverse = np.unique(ids, return_inverse=True)
            decay = np.where(used < BUCKETS, DECAY, DECAY_SOURCE)
            slope = np.bincount(inverse, np.concatenate([errors, errors])) + decay * weights[used]
            squares[used] += slope**2
            weights[used] -= RATE * slope / (np.sqrt(squares[used]) + 1e-3)
    return weights


def _scores(
    places: Places, rows: npt.NDArray[np.int64], weights: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Log odds of rows, the weights that made them (shared ones first), and the row of each of the shared ones."""
    counts = places.starts[rows + 1] - places.starts[rows]
    owner = np.repeat(np.arange(len(rows)), counts)
    first = np.cumsum(counts) - counts
    shared = places.ids[np.repeat(places.starts[rows] - first, counts) + np.arange(counts.sum())]
    own = shared + BUCKETS * (1 + places.sources[rows])[owner]
    scores = np.bincount(owner, weights[shared] + weights[own], minlength=len(rows)).astype(np.float32)
    return scores, np.concatenate([shared, own]), owner


def _sigmoid(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return 1 / (1 + np.exp(-scores))
