"""The shape of a CT-Transformer, which says for every word the mark that follows it.

Source: arXiv 2003.01309; funasr 1.4.16 funasr/models/{ct_transformer,ct_transformer_streaming}; the names in brackets
are the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass

NO_MARK = "_"
"""The label of a word that no mark follows."""
UNKNOWN_MARK = "<unk>"
"""A label of the published lists that stands for nothing."""
FULL_STOPS = ("。", "？")
"""Marks that end a sentence: whatever stands before them need not be looked at again."""
COMMAS = ("，", "、")
"""Where a sentence is cut that grows too long: at the first of these marks that the model has."""
_MOST = 2**14
"""Larger than any width of a model, and small enough that a damaged file does not fill a computer's memory."""
_LONGEST_RUN, _MOST_RUNS = 8, 2**18
TEXT_STYLES = ("published", "plain")
"""As the published system writes, its oddities included; or with words left as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CtTransformerConfig:
    """Everything but the weights and the words."""

    vocab_size: int
    embed_size: int
    """Width of word embeddings and position codes [embed_unit]."""
    output_size: int
    """Width of the layers [output_size, att_unit]."""
    attention_heads: int
    linear_units: int
    num_blocks: int
    kernel_size: int
    """Words under the depthwise convolution (FSMN memory)."""
    ngram_order: int = 1
    """Above 1, a word's embedding tells its neighbours too: a row for each run of up to so many words that holds it."""
    ngram_buckets: int = 0
    """Rows that all such runs share; which one is theirs follows from the ids (hashing)."""
    ngram_size: int = 0
    """Width of these rows."""
    memory_shift: int = 0
    """Words by which that kernel is moved into the past [sanm_shfit]."""
    causal: bool = False
    """VAD-realtime: all layers but the last see only the past [SANMVadEncoder]."""
    marks: tuple[str, ...] = (UNKNOWN_MARK, NO_MARK, "，", "。", "？", "、")
    """The mark of each label [punc_list]."""
    sentence_end: int = 3
    """Label that a forced end of a sentence gets [sentence_end_id]."""
    split_size: int = 20
    """Words by which a window grows."""
    look_ahead: int = 0
    """Words behind a full stop without which it does not yet close a window."""
    second_look: bool = False
    """Commas come from a second look at whole sentences, in which words tell their ends: the marks of FULL_STOPS."""
    text_style: str = "published"
    """How text is written unless a call says otherwise, one of TEXT_STYLES."""
    dropout: float = 0.1
    attention_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.vocab_size < 1:
            raise ValueError(f"vocab_size is {self.vocab_size}; it must be at least 1")
        for name in ("embed_size", "output_size", "attention_heads", "linear_units", "num_blocks", "kernel_size"):
            if not 1 <= getattr(self, name) <= _MOST:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie in 1..{_MOST}")
        if self.output_size % self.attention_heads:
            raise ValueError(f"output_size {self.output_size} is no multiple of {self.attention_heads} heads")
        if self.embed_size % 2 or self.embed_size < 4:
            raise ValueError(f"embed_size {self.embed_size} must be even and at least 4 for the position code")
        self._check_runs()
        before, after = self.memory_reach
        if before < 0 or after < 0:
            raise ValueError(f"memory_shift {self.memory_shift} does not fit kernel_size {self.kernel_size}")
        self._check_marks()
        if self.text_style not in TEXT_STYLES:
            raise ValueError(f"text_style is {self.text_style!r:.80}; choose one of {', '.join(TEXT_STYLES)}")
        if self.split_size < 1 or not 0 <= self.look_ahead < self.split_size:
            raise ValueError(
                f"split_size {self.split_size} and look_ahead {self.look_ahead} do not fit: "
                "0 <= look_ahead < split_size must hold"
            )

    def _check_runs(self) -> None:
        runs, sizes = self.ngram_order > 1, (self.ngram_buckets, self.ngram_size)
        if not 1 <= self.ngram_order <= _LONGEST_RUN:
            raise ValueError(f"ngram_order is {self.ngram_order}; it must lie in 1..{_LONGEST_RUN}")
        if any(not runs <= size <= most for size, most in zip(sizes, (_MOST_RUNS, _MOST), strict=True)):
            raise ValueError(
                f"ngram_buckets {self.ngram_buckets} and ngram_size {self.ngram_size} do not fit ngram_order "
                f"{self.ngram_order}: an order above 1 needs 1..{_MOST_RUNS} buckets of 1..{_MOST} values"
            )

    def _check_marks(self) -> None:
        if NO_MARK not in self.marks or not set(FULL_STOPS) & set(self.marks):
            raise ValueError(f"the marks {self.marks} lack {NO_MARK!r} or a full stop ({' '.join(FULL_STOPS)})")
        if len(set(self.marks)) < len(self.marks) or any(not mark or mark.isspace() for mark in self.marks):
            raise ValueError(f"the marks {self.marks} hold an empty one, or one twice")
        if self.second_look and (self.causal or self.comma is None):
            raise ValueError("second_look needs a comma among the marks and a network that is not causal")
        if not 0 <= self.sentence_end < len(self.marks):
            raise ValueError(f"sentence_end is {self.sentence_end}; the marks are numbered 0..{len(self.marks) - 1}")

    @property
    def comma(self) -> str | None:
        """The mark at which a sentence that is too long is cut."""
        return next((mark for mark in COMMAS if mark in self.marks), None)

    @property
    def memory_reach(self) -> tuple[int, int]:
        """Words before and after the current one under the memory's kernel."""
        before = (self.kernel_size - 1) // 2 + self.memory_shift
        return before, self.kernel_size - 1 - before
