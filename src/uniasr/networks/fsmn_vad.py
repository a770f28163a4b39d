"""FSMN-VAD as a torch module: for every row the probabilities of silence and of classes of speech.

Features, blocks and the state machine are not here. Source: FSMN arXiv 1512.08301; funasr 1.4.16
funasr/models/fsmn_vad_streaming/encoder.py, whose parameter names these are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from uniasr.configs.fsmn_vad import FsmnConfig


class Affine(nn.Module):
    """A linear layer under its published name."""

    def __init__(self, size: int, output_size: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(size, output_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[..., size] -> [..., output_size]."""
        return self.linear(x)  # type: ignore[no-any-return]


class Memory(nn.Module):
    """A depthwise convolution over past rows."""

    def __init__(self, config: FsmnConfig) -> None:
        super().__init__()
        # Two-dimensional as in the published weights; onnxruntime's CPU is also twice as fast at it.
        self.conv_left = nn.Conv2d(
            config.proj_dim,
            config.proj_dim,
            (config.lorder, 1),
            dilation=(config.lstride, 1),
            groups=config.proj_dim,
            bias=False,
        )

    def forward(self, rows: Tensor) -> Tensor:
        """[U, cache_rows + K, P], the past first -> [U, K, P]."""
        columns = rows.transpose(1, 2)
        if self.training:  # torch's gradient of the one-dimensional form is five times faster
            conv = self.conv_left
            return functional.conv1d(
                columns, conv.weight.squeeze(-1), dilation=conv.dilation[0], groups=conv.groups
            ).transpose(1, 2)
        return self.conv_left(columns.unsqueeze(-1)).squeeze(-1).transpose(1, 2)  # type: ignore[no-any-return]


class Block(nn.Module):
    """Projection, memory, affine and ReLU; no residual round it."""

    def __init__(self, config: FsmnConfig) -> None:
        super().__init__()
        self.linear = Affine(config.linear_dim, config.proj_dim, bias=False)
        self.fsmn_block = Memory(config)
        self.affine = Affine(config.proj_dim, config.linear_dim)

    def forward(self, x: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Rows [U, K, D] and past projections [U, cache_rows, P] -> rows, and past and present projections."""
        projected = self.linear(x)
        seen = torch.cat([cache, projected], dim=1)
        return torch.relu(self.affine(projected + self.fsmn_block(seen))), seen


class Fsmn(nn.Module):
    """The layers between features and scores."""

    def __init__(self, config: FsmnConfig) -> None:
        super().__init__()
        self.in_linear1 = Affine(config.input_dim, config.input_affine_dim)
        self.in_linear2 = Affine(config.input_affine_dim, config.linear_dim)
        self.fsmn = nn.ModuleList([Block(config) for _ in range(config.fsmn_layers)])
        self.out_linear1 = Affine(config.linear_dim, config.output_affine_dim)
        self.out_linear2 = Affine(config.output_affine_dim, config.output_dim)

    def forward(self, rows: Tensor, cache: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Rows [U, K, F] and cache [U, layers, cache_rows, P] -> logits [U, K, O], projections of each layer."""
        x, seen = torch.relu(self.in_linear2(self.in_linear1(rows))), []
        for layer, block in enumerate(self.fsmn):
            x, projections = block(x, cache[:, layer])
            seen.append(projections)
        return self.out_linear2(self.out_linear1(x)), seen


class FsmnVadNetwork(nn.Module):
    """The whole model. Streams of different lengths go in one call: what follows a stream's rows changes nothing."""

    def __init__(self, config: FsmnConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Fsmn(config)

    def forward(self, rows: Tensor, counts: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of rows, and what the next rows need of these.

        Args:
            rows: [U, K, F], of which only the first `counts` belong to each stream.
            counts: [U] int64.
            cache: [U, layers, cache_rows, P], zeros before the first row.

        Returns:
            Probabilities [U, K, O], each row's adding up to 1, and the next cache.
        """
        logits, seen = self.encoder(rows, cache)
        last = counts[:, None] + torch.arange(self.config.cache_rows, device=counts.device)  # [U, cache_rows]
        index = last.unsqueeze(-1).expand(-1, -1, self.config.proj_dim)
        kept = [torch.gather(projections, 1, index) for projections in seen]
        return torch.softmax(logits, dim=-1), torch.stack(kept, dim=1)

    def logits(self, rows: Tensor) -> Tensor:
        """Logits [U, T, O] of whole recordings [U, T, F], for training."""
        config = self.config
        cache = rows.new_zeros(len(rows), config.fsmn_layers, config.cache_rows, config.proj_dim)
        return self.encoder(rows, cache)[0]  # type: ignore[no-any-return]
