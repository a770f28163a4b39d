"""CT-Transformer: word embeddings, a SAN-M encoder, and a linear layer that gives each word the scores of the marks.

    ids -> embed -> x sqrt(width) + position codes -> encoder -> decoder -> logits

Packaged models add to the embedding of a word what the runs of words tell that it stands in (`RunEmbedding`).
The VAD-realtime variant is causal in all layers but the last, so that a word's label may rest on words to come only
there. Words of a window are numbered from its start; windows are cut by `uniasr.recognizers.punctuation`.
Source: arXiv 2003.01309; funasr 1.4.16 funasr/models/{ct_transformer,ct_transformer_streaming}.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.networks.layers.attention import MASKED
from uniasr.networks.layers.sanm import LAYER_NORM_EPS, EncoderLayer


class WordEncoder(nn.Module):
    """SAN-M layers over windows of words [SANMEncoder, SANMVadEncoder]."""

    def __init__(self, config: CtTransformerConfig) -> None:
        super().__init__()
        self.causal = config.causal
        size, reach = config.output_size, config.memory_reach
        self.encoders0 = nn.ModuleList([EncoderLayer(config.embed_size, config, reach)])
        self.encoders = nn.ModuleList([EncoderLayer(size, config, reach) for _ in range(config.num_blocks - 1)])
        self.after_norm = nn.LayerNorm(size, eps=LAYER_NORM_EPS)

    def forward(self, x: Tensor, valid: Tensor, cached: Tensor) -> Tensor:
        """Rows [W, K, D].

        Args:
            x: [W, K, embed_size].
            valid: [W, K] of 1.0 for words and 0.0 for padding behind them.
            cached: [W] number of leading words that earlier calls have seen; without meaning unless causal.
        """
        mask = valid.unsqueeze(-1)
        inside = ((1.0 - valid) * MASKED)[:, None, None, :]
        blocks = [*self.encoders0, *self.encoders]
        for number, block in enumerate(blocks):
            bias = inside
            if self.causal:
                last = number == len(blocks) - 1
                bias = inside + (boundary_hides(valid, cached) if last else future_hides(valid))
            x, _, _ = block(x, mask, bias, number, None)
        return self.after_norm(x)  # type: ignore[no-any-return]


def future_hides(valid: Tensor) -> Tensor:
    """Bias [1, 1, K, K] under which a word sees itself and the words before it."""
    place = torch.arange(valid.shape[1], device=valid.device)
    return ((place[None, :] > place[:, None]).to(valid.dtype) * MASKED)[None, None]


def boundary_hides(valid: Tensor, cached: Tensor) -> Tensor:
    """Bias [W, 1, K, K] of the last layer: cached words do not see the new ones, except the last cached word.

    The boundary counts only where it lies inside the window.
    """
    place = torch.arange(valid.shape[1], device=valid.device)
    boundary = cached[:, None, None]
    inside = (cached > 0) & (cached < valid.sum(dim=1))
    hidden = (place[None, :, None] < boundary - 1) & (place[None, None, :] >= boundary) & inside[:, None, None]
    return (hidden.to(valid.dtype) * MASKED)[:, None]


class RunEmbedding(nn.Module):
    """Hashed rows of the runs of 2, 3, ... `order` words; a word adds up those of all runs that it stands in.

    A run counts differently by its length and by the word's place in it (`views`). That tells common words and endings
    of a language whose words of the model are single characters, at the cost of a look-up. Source of the idea: hashed
    n-grams of fastText, arXiv 1607.04606.
    """

    PRIME, FACTOR = 2_147_483_647, 1_000_003
    """Keys stay below the prime, so that no product leaves int64 (ids below 2**32)."""

    def __init__(self, order: int, buckets: int, size: int, width: int) -> None:
        super().__init__()
        self.order, self.buckets = order, buckets
        self.table = nn.Embedding(buckets, size)
        self.views = nn.Linear(size * sum(range(2, order + 1)), width, bias=False)
        nn.init.normal_(self.table.weight, std=size**-0.5)
        nn.init.zeros_(self.views.weight)

    def forward(self, ids: Tensor, valid: Tensor) -> Tensor:
        """[W, K, width] for ids [W, K] and valid [W, K]; places before a window count as one more word."""
        words = (ids + 1) * valid.to(ids.dtype)
        keys, seen = words, []
        for back in range(1, self.order):
            before = functional.pad(words, (back, 0))[:, : words.shape[1]]
            keys = (keys * self.FACTOR + before) % self.PRIME
            rows = self.table(keys % self.buckets) * valid.unsqueeze(-1)  # of the runs that end here
            seen += [functional.pad(rows, (0, 0, 0, on))[:, on:] for on in range(back + 1)]
        return self.views(torch.cat(seen, dim=-1))  # type: ignore[no-any-return]


class CtTransformerNetwork(nn.Module):
    """Windows of word ids -> scores of the marks, with the published parameter names."""

    def __init__(self, config: CtTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.embed_size)
        order, buckets = config.ngram_order, config.ngram_buckets
        self.runs = RunEmbedding(order, buckets, config.ngram_size, config.embed_size) if order > 1 else None
        self.encoder = WordEncoder(config)
        self.decoder = nn.Linear(config.output_size, len(config.marks))

    def forward(self, ids: Tensor, positions: Tensor, valid: Tensor, cached: Tensor) -> Tensor:
        """Logits [W, K, marks].

        Args:
            ids: [W, K] of int64; any id where `valid` is 0.
            positions: [K, embed_size] position codes of a window's words (`features.positions`).
            valid: [W, K] of 1.0 for words and 0.0 for padding behind them.
            cached: [W] of int64, words of the window that earlier calls have seen; unused unless causal.
        """
        rows = self.embed(ids)
        if self.runs is not None:
            rows = rows + self.runs(ids, valid)
        rows = rows * self.config.output_size**0.5 + positions
        return self.decoder(self.encoder(rows, valid, cached))  # type: ignore[no-any-return]
