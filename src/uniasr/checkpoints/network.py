"""A model directory's weights in its network."""

from __future__ import annotations

from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.weights import load_strictly, read_state
from uniasr.errors import ModelError
from uniasr.networks.uniasr import UniasrNetwork


def load_network(files: ModelFiles, *, ctc: bool = False) -> UniasrNetwork:
    """The network of a model, in evaluation mode, with its weights.

    Raises ModelError when the directory has graphs only, or weights that do not fit the configuration.
    """
    if files.weights is None:
        raise ModelError(
            f"{files.directory} has onnxruntime graphs but no weights; torch needs the original checkpoint"
        )
    network = UniasrNetwork(files.config, ctc=ctc)
    load_strictly(network, read_state(files.weights), str(files.weights))
    return network.eval()
