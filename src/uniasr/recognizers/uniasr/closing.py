"""From a closed segment to its result: what each hearing of it gave, the judges' choice, tokens and hotwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter

import numpy as np

from uniasr.configs.decoding import DoubtConfig, ViewConfig
from uniasr.decoding.beam import EOS, SOS
from uniasr.decoding.ctc import BLANK
from uniasr.decoding.hypotheses import Ended, each_once, final_order
from uniasr.decoding.rescoring import Rescoring, rescored
from uniasr.recognizers.uniasr.ctc_head import doubts, head_of, in_council, is_said, misfit
from uniasr.recognizers.uniasr.passes import PassCarry
from uniasr.recognizers.uniasr.segments import Clock, OpenSegment, shown_tokens, text_of, visible
from uniasr.text.join import join_tokens
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import DecodingOptions, HotwordMatch, Hypothesis, Segment, Token

POOL = 12
"""Hypotheses of each hearing that the heads of the others judge, too, if no more are asked for."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one hearing of a closed segment gave."""

    carry: PassCarry
    """The final pass, its search at the end."""
    num_rows: int
    clock: Clock
    ended: list[Ended]
    """The hypotheses, best first by the given judges and the head of the pass."""
    head: Rescoring | None
    """The CTC head as a judge, where the model wants it."""


def account(segment: OpenSegment, clock: Clock, options: DecodingOptions, judges: Sequence[Rescoring]) -> Account:
    """Of a segment whose search has taken its last step."""
    carry = segment.final
    assert carry.search is not None
    assert segment.num_frames is not None
    num_rows = -(-segment.num_frames // carry.plan.frames_per_row)
    clock = replace(clock, limit_ms=clock.at_frame(segment.num_frames))  # the last row may reach beyond the last frame
    head = head_of(carry, num_rows)
    judges = [*judges, *([head] if head else [])]
    ended = carry.search.results(max(options.nbest, options.beam_size))
    if judges:
        ended = rescored(ended, judges, options.length_norm)
    return Account(carry, num_rows, clock, ended, head)


@dataclass(slots=True)
class ClosedSegment:
    """A closed segment on its way to its result. The first account says where it lies, and if anything was said."""

    num_frames: int
    """Feature rows of the session."""
    accounts: list[Account] = field(default_factory=list)
    views: list[ViewConfig] = field(default_factory=list)
    """Ways in which it is still to be heard."""
    ranked: list[tuple[Ended, Account]] = field(default_factory=list)
    """The hypotheses so far, best first."""

    def add(self, one: Account, doubt: DoubtConfig | None, options: DecodingOptions) -> None:
        """Take the account of the first hearing, which decides if there are to be others, or of one of these."""
        self.accounts.append(one)
        if len(self.accounts) > 1:
            if not self.views:
                self.ranked = rank(self.accounts, options)
        elif one.ended and is_said(one.carry, one.ended[0].ids, one.num_rows):
            self.ranked = [(ended, one) for ended in one.ended]
            if doubt and one.head and doubts(one.head, one.ended[0].ids, doubt):
                self.views = list(doubt.views)

    def result(self, index: int, options: DecodingOptions, vocabulary: Vocabulary, *, closed: bool) -> Segment:
        """What is told of it; `closed`: with the confidences of closed segments, since no others were promised."""
        first = self.accounts[0]
        end_ms = first.clock.limit_ms
        assert end_ms is not None
        shown: list[Token | None] = []
        hotwords: tuple[HotwordMatch, ...] = ()
        if self.ranked:
            best, one = self.ranked[0]
            clock = replace(one.clock, limit_ms=end_ms)
            unfit = misfit(first.head, best.ids) if closed and first.head else None
            shown = shown_tokens(one.carry, best, clock, vocabulary, one.num_rows, unfit)
            hotwords = _hotwords_in(one.carry, shown, index)
        tokens = visible(shown)
        # some differ in blanks and marks alone, or come from several accounts
        hypotheses = each_once((_hypothesis(ended, vocabulary) for ended, _ in self.ranked), attrgetter("token_ids"))
        nbest = tuple(islice(hypotheses, options.nbest))
        return Segment(index, first.clock.at_frame(0), end_ms, text_of(tokens), tokens, nbest, hotwords)


def rank(accounts: Sequence[Account], options: DecodingOptions) -> list[tuple[Ended, Account]]:
    """The best hypotheses of all accounts, best first: for each head the mean of all heads judges.

    In one view a wrong text may sound right, but hardly in all.
    """
    ranked: list[tuple[Ended, Account]] = []
    pool, length_norm = max(POOL, options.nbest), options.length_norm
    for one in accounts:
        council = in_council(one.head, [other.head for other in accounts if other is not one])
        ranked += [(ended, one) for ended in rescored(one.ended[:pool], council, length_norm)]
    scores = np.array([ended.score for ended, _ in ranked], np.float64)
    lengths = np.array([len(ended.ids) for ended, _ in ranked], np.int64)
    return [ranked[i] for i in final_order(scores, lengths, length_norm)]


def _hypothesis(ended: Ended, vocabulary: Vocabulary) -> Hypothesis:
    ids = tuple(i for i in ended.ids.tolist() if i not in (BLANK, SOS, EOS))
    return Hypothesis(ids, ended.score, join_tokens([vocabulary.tokens[i] for i in ids]))


def _hotwords_in(carry: PassCarry, shown: Sequence[Token | None], index: int) -> tuple[HotwordMatch, ...]:
    """The words that were listened for when their tokens were searched."""
    ids = [BLANK if token is None else token.id for token in shown]  # no word has a mark in it
    ends = [*(first for first, _ in carry.hotwords[1:]), len(ids)]
    matches = []
    for (first, scorer), end in zip(carry.hotwords, ends, strict=False):
        if scorer is None:
            continue
        for found in scorer.occurrences(ids[first:end]):
            begun, done = shown[first + found.begin], shown[first + found.end - 1]
            assert begun is not None
            assert done is not None
            matches.append(HotwordMatch(scorer.words[found.word], begun.start_ms, done.end_ms, index))
    return tuple(dict.fromkeys(matches))  # a word may be listed twice, with two readings or weights
