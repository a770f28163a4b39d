"""The shape of the packaged punctuation model."""

from __future__ import annotations

from corpus import MARKS, STOP

from uniasr.configs.ct_transformer import CtTransformerConfig


def config(vocab_size: int) -> CtTransformerConfig:
    """1.6 million parameters. Characters are short words, so windows are longer and look further than the published."""
    return CtTransformerConfig(
        vocab_size=vocab_size,
        embed_size=128,
        output_size=128,
        attention_heads=4,
        linear_units=512,
        num_blocks=6,
        kernel_size=11,
        ngram_order=4,
        ngram_buckets=2**16,
        ngram_size=48,
        marks=MARKS,
        sentence_end=STOP,
        split_size=48,
        look_ahead=8,
        second_look=True,
        text_style="plain",
        dropout=0.2,
        attention_dropout=0.0,
    )
