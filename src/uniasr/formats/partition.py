"""Cutting the characters of a segment into cues and the cues into lines: the cheapest of all ways.

Every cue costs something, and so do bad breaks, uneven lines, sentence ends and pauses inside a cue, and cues that are
too short or too fast to read. Dynamic programming over the places where a break is allowed finds the least sum in time
linear in the length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from uniasr.formats.breaks import SENTENCE, TORN, break_costs
from uniasr.formats.rules import PAUSE_MS, CueRules
from uniasr.formats.timed import Glyph

_CUE = 1.0
_SENTENCE_INSIDE = 1.3
"""More than a further cue: sentences share one only where it would be too short alone."""
_PAUSE_INSIDE = 1.0
"""For a pause of PAUSE_MS; shorter ones cost in proportion."""
_TOO_SHORT = 3.0
"""For a cue without any time; others in proportion to what they lack of the least time."""
_TOO_FAST = 1.0
"""For twice the reading speed."""
_UNEVEN = 0.3
"""For an empty line beside a full one."""
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Part:
    """Glyphs i to j of a segment, which become a cue; the second line begins at glyph `second`, j without one."""

    i: int
    j: int
    second: int

    def lines(self, line: Sequence[Glyph]) -> tuple[str, ...]:
        """The text of each line."""
        texts = (_text(line[self.i : self.second]), _text(line[self.second : self.j]))
        return tuple(text for text in texts if text)


def partition(line: Sequence[Glyph], end_ms: int, rules: CueRules) -> list[Part]:
    """The parts of a segment in order.

    Args:
        line: glyphs of the segment, at least one.
        end_ms: end of the segment; its last cue may stay until then.
        rules: limits. Widths and numbers of lines hold always; a part longer than `max_ms` is a single glyph.
    """
    measured = _measure(line, end_ms, rules)
    nodes = _places(measured)
    best, before = [0.0], [(0, 0)]
    for b in range(1, len(nodes)):
        found, choice = _NEVER, (b - 1, nodes[b])
        for a in range(b - 1, -1, -1):
            i, j = nodes[a], nodes[b]
            if measured.too_long(i, j) and a < b - 1:
                break
            cost = best[a] + measured.cost(i, j)
            if cost >= found:
                continue
            shape = measured.second_line(nodes, a, b)
            if shape is None:
                break
            if cost + shape[0] < found:
                found, choice = cost + shape[0], (a, shape[1])
        best.append(found)
        before.append(choice)
    parts, b = [], len(nodes) - 1
    while b:
        a, second = before[b]
        parts.append(Part(nodes[a], nodes[b], second))
        b = a
    return parts[::-1]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A segment with what the costs need; prefix sums over its glyphs have n + 1 entries."""

    line: Sequence[Glyph]
    rules: CueRules
    end_ms: int
    costs: Sequence[float]
    """Cost of a break before each glyph; nothing is paid at the segment's end."""
    widths: Sequence[int]
    inside: Sequence[float]
    """Cost of what a cue should not contain, up to the break before each glyph."""
    wall: Sequence[int]
    """Latest glyph at or before each one that a cue must begin with."""

    def width(self, i: int, j: int) -> int:
        """Columns of glyphs i to j, without a blank at the end."""
        return self.widths[j] - self.widths[i] - self.line[j - 1].blank

    def too_long(self, i: int, j: int) -> bool:
        """Whether glyphs i to j, and with them all longer runs that end at j, are more than a cue may hold."""
        return (
            i < self.wall[j - 1]
            or self.width(i, j) > self.rules.max_lines * self.rules.line_columns
            or self.line[j - 1].end_ms - self.line[i].start_ms > self.rules.max_ms
        )

    def cost(self, i: int, j: int) -> float:
        """Cost of a cue of glyphs i to j, without that of its second line."""
        rules, start = self.rules, self.line[i].start_ms
        last = j == len(self.line)
        following = self.end_ms if last else self.line[j].start_ms - rules.gap_ms
        num_columns = self.width(i, j)
        stay = rules.stay_ms(num_columns, self.line[j - 1].end_ms - start)
        shown = max(1, min(stay, following - start))
        short = max(0, rules.min_ms - shown) / rules.min_ms
        fast = max(0.0, num_columns / 2 * 1000 / shown / rules.max_cps - 1.0)
        inside = self.inside[j - 1] - self.inside[i]
        return _CUE + (0.0 if last else self.costs[j]) + inside + _TOO_SHORT * short + _TOO_FAST * min(fast, 3.0)

    def second_line(self, nodes: Sequence[int], a: int, b: int) -> tuple[float, int] | None:
        """Cost and first glyph of the best second line of a cue between two nodes; None if it does not fit."""
        most, i, j = self.rules.line_columns, nodes[a], nodes[b]
        if self.width(i, j) <= most:
            return 0.0, j
        found: tuple[float, int] | None = None
        for place in reversed(nodes[a + 1 : b]):
            below = self.width(place, j)
            if below > most or self.rules.max_lines == 1:
                break
            above = self.width(i, place)
            if above <= most:
                cost = self.costs[place] + _UNEVEN * abs(above - below) / most
                if found is None or cost < found[0]:
                    found = cost, place
        return found


def _measure(line: Sequence[Glyph], end_ms: int, rules: CueRules) -> _Measured:
    costs = break_costs(line)
    pauses = [0] + [max(0, right.start_ms - left.end_ms) for left, right in pairwise(line)]
    inside = [
        0.0 if i == 0 else _SENTENCE_INSIDE * (cost == SENTENCE) + _PAUSE_INSIDE * pause / PAUSE_MS
        for i, (cost, pause) in enumerate(zip(costs, pauses, strict=True))
    ]
    walls = [
        i if pause >= PAUSE_MS and cost != TORN else 0
        for i, (cost, pause) in enumerate(zip(costs, pauses, strict=True))
    ]
    return _Measured(
        line,
        rules,
        end_ms,
        costs,
        list(accumulate((glyph.width + glyph.blank for glyph in line), initial=0)),
        list(accumulate(inside)),
        list(accumulate(walls, max)),
    )


def _places(measured: _Measured) -> list[int]:
    """Glyphs before which a cue or line may begin, 0 and the end included; words that fit nowhere are torn."""
    count, rules = len(measured.line), measured.rules
    allowed = [0, *(i for i in range(1, count) if measured.costs[i] != TORN), count]
    places = [0]
    for i, j in pairwise(allowed):
        span_ms = measured.line[j - 1].end_ms - measured.line[i].start_ms
        if measured.width(i, j) > rules.line_columns or span_ms > rules.max_ms:
            places += range(i + 1, j)
        places.append(j)
    return places


def _text(line: Sequence[Glyph]) -> str:
    return "".join(glyph.text + " " * glyph.blank for glyph in line).strip()
