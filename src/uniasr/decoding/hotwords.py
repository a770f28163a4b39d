"""Hotwords in the search: an Aho-Corasick automaton over token ids that scores whole beams at once.

A word earns its bonus when it is complete. What a beginning of it may still earn is lent on the way, so that it
survives the pruning, and taken back when the text goes on otherwise: over a whole hypothesis the additions are exactly
the sum of the bonuses of the words in it, and other text gains nothing. Nor does it lose its place: what is best
without that which is lent stays in the beam (`hypotheses.best_extensions`).

Sources: Aho and Corasick 1975, "Efficient string matching"; the fusion as in icefall's and sherpa-onnx's context
graphs, but for the bonus: theirs is the same for every token.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from uniasr.decoding.scorers import Scored
from uniasr.types import F32, F64, I64

STRENGTH, DUE, LEAST, MOST = 3.0, 2.0, 0.5, 5.0
"""A word of n tokens with weight w up to 1 earns w * STRENGTH * (n - DUE, within LEAST and MOST) as
benchmarks/hotwords.py measures.

The more tokens a word has, the less likely other speech sounds like it by chance: so short words earn little, and long
ones enough to make up for several tokens that were misheard. A phrase of eight and more earns no more than seven do:
with all that its length would give it takes the place of speech that half of it is like (docs/hotwords.md).
"""

MOST_STRONG = 1.5
"""What a weight above 1 comes near to, in usual bonuses. Two of them are more than wrong tokens cost: words come
up that nobody said (docs/hotwords.md)."""

MARGIN = 8.0
"""A token that the model finds this much less likely than its best one is not heard: a word with it earns nothing."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write one word: its tokens, the number of the word, and how strongly it is wished for."""

    ids: tuple[int, ...]
    word: int
    weight: float = 1.0

    @property
    def bonus(self) -> float:
        """What an occurrence adds to the score of a hypothesis, as a log-probability."""
        weight = self.weight if self.weight <= 1 else MOST_STRONG - (MOST_STRONG - 1) / self.weight
        return weight * STRENGTH * min(max(len(self.ids) - DUE, LEAST), MOST)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Word number `word` is tokens `begin` to `end` - 1 of a text."""

    word: int
    begin: int
    end: int


class HotwordScorer:
    """The automaton of some words, each spelled in one or more ways.

    Its state is the node of each hypothesis [B]; 0 is the root. Where a token leads as it does from the root stands in
    tables by token; all else in a sorted list of node * V + token, so that the memory grows with the words and not with
    the vocabulary.
    """

    whole_vocabulary = False

    def __init__(self, words: Sequence[str], spellings: Iterable[Spelling], vocab_size: int) -> None:
        self.words = words
        trie = _Trie(spellings)
        self._vocab_size, self._trie = vocab_size, trie
        self._lent = np.array(trie.lent, np.float64)
        first = trie.children[0]
        self._entered = dict(first)
        for node in range(1, len(trie.children)):
            if trie.children[node]:
                steps = trie.steps(node).items()
                self._entered |= {node * vocab_size + token: to for token, to in steps if first.get(token) != to}
        self._first_targets, self._first_gains = np.zeros(vocab_size, np.int64), np.zeros(vocab_size, np.float64)
        for token, node in first.items():
            self._first_targets[token], self._first_gains[token] = trie.rest[node], trie.gain(node)
        keys = sorted(key for key in self._entered if key >= vocab_size)
        # the last key lies beyond all that can be asked for, so that a search always ends on a key
        self._keys = np.array([*keys, len(trie.children) * vocab_size], np.int64)
        self._targets = np.array([*(trie.rest[self._entered[key]] for key in keys), 0], np.int64)
        self._gains = np.array([*(trie.gain(self._entered[key]) for key in keys), 0.0], np.float64)

    def start(self, beam: int) -> I64:
        """[B] all at the root."""
        return np.zeros(beam, np.int64)

    def score(self, state: I64, log_probs: F32, ids: I64) -> Scored:
        """Bonuses of the candidates [B, K], less what was lent to the hypotheses."""
        keys = state[:, None] * self._vocab_size + ids
        place = np.searchsorted(self._keys, keys)
        deeper = self._keys[place] == keys
        heard = log_probs >= log_probs.max(axis=1, keepdims=True) - MARGIN
        targets = np.where(deeper, self._targets[place], self._first_targets[ids]) * heard
        gains = np.where(deeper, self._gains[place], self._first_gains[ids]) * heard
        back = self.refund(state)
        return Scored(gains + back[:, None], back, self._lent[targets], targets)

    def follow(self, scored: Scored, parents: I64, columns: I64) -> I64:
        """[B] nodes after the chosen tokens."""
        targets: I64 = scored.state[parents, columns]
        return targets

    def refund(self, state: I64) -> F64:
        """[B] what was lent, to be taken back."""
        return -self._lent[state]

    def occurrences(self, ids: Sequence[int]) -> list[Occurrence]:
        """Where the words stand in a text, by their ends; words inside words count."""
        node, out = 0, []
        for end, token in enumerate(ids, 1):
            entered = self._entered.get(node * self._vocab_size + token) or self._entered.get(token, 0)
            out += [Occurrence(word, end - length, end) for word, length in self._trie.found[entered]]
            node = self._trie.rest[entered]
        return out


class _Trie:
    """Nodes by number, the root first, then by depth in the end; each list has an entry per node."""

    def __init__(self, spellings: Iterable[Spelling]) -> None:
        self.children: list[dict[int, int]] = [{}]
        self.lent = [0.0]
        """Most that a word begun here may still earn, in proportion to how much of it there is."""
        self.earned = [0.0]
        """Bonuses of all words that end here."""
        self.found: list[dict[tuple[int, int], None]] = [{}]
        """The words that end here and their lengths, in order."""
        self.fail = [0]
        """Node of the longest proper end that is a beginning of a word."""
        self.rest = [0]
        """The node itself, or where nothing goes on from it the node whose transitions are the same."""
        for spelling in spellings:
            self._insert(spelling)
        self._link()

    def gain(self, node: int) -> float:
        """What entering a node adds, before what was lent is taken back."""
        return self.earned[node] + self.lent[self.rest[node]]

    def steps(self, node: int) -> dict[int, int]:
        """Where the tokens lead that lead anywhere but to the root or where they lead from there."""
        found: dict[int, int] = {}
        while node:
            found = self.children[node] | found
            node = self.fail[node]
        return found

    def _insert(self, spelling: Spelling) -> None:
        node, bonus = 0, spelling.bonus
        for depth, token in enumerate(spelling.ids):
            self.lent[node] = max(self.lent[node], bonus * depth / len(spelling.ids))
            if token not in self.children[node]:
                self.children[node][token] = len(self.children)
                self._add_node()
            node = self.children[node][token]
        own = (spelling.word, len(spelling.ids))
        # words of one sound: the bonus is for the sound
        self.earned[node] = max(self.earned[node], bonus) if self.found[node] else bonus
        self.found[node][own] = None

    def _add_node(self) -> None:
        self.children.append({})
        self.lent.append(0.0)
        self.earned.append(0.0)
        self.found.append({})
        self.fail.append(0)
        self.rest.append(0)

    def _link(self) -> None:
        """Breadth first: what a node needs of shorter ends is there when its turn comes."""
        queue = deque([0])
        while queue:
            node = queue.popleft()
            for token, child in self.children[node].items():
                fail = self.fail[node]
                while fail and token not in self.children[fail]:
                    fail = self.fail[fail]
                self.fail[child] = self.children[fail].get(token, 0) if node else 0
                queue.append(child)
            if node:
                fail = self.fail[node]
                self.earned[node] += self.earned[fail]
                self.lent[node] = max(self.lent[node], self.lent[fail])
                self.found[node] |= self.found[fail]
                self.rest[node] = node if self.children[node] else self.rest[fail]
