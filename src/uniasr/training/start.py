"""Training from scratch that does not begin from nothing: a network of the same shape lends its weights."""

from __future__ import annotations

import torch

from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.network import load_network
from uniasr.checkpoints.weights import load_strictly
from uniasr.errors import ModelError
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.text.vocabulary import Vocabulary
from uniasr.training.extend import ROWS


def start_from(network: UniasrNetwork, files: ModelFiles, vocabulary: Vocabulary) -> int:
    """Copy a model's weights into a network; returns how many of the network's tokens the model knows.

    Rows of tokens that it does not know stay as they are, in embeddings, output layers and CTC heads. Chunks may
    differ. Raises ModelError for another shape or front end.
    """
    if files.config.frontend != network.config.frontend:
        raise ModelError(f"{files.directory} has another front end than the plan; name its values under frontend")
    old, new = ({token: number for number, token in enumerate(tokens.tokens)} for tokens in (files.tokens, vocabulary))
    shared = [token for token in new if token in old]
    sources, places = ([numbers[token] for token in shared] for numbers in (old, new))
    own = network.state_dict()
    state = load_network(files, ctc=hasattr(network, "ctc")).state_dict()
    for name in state:
        if name.endswith(ROWS) and name in own and state[name].shape[1:] == own[name].shape[1:]:
            state[name] = own[name].index_copy(0, torch.tensor(places), state[name][sources])
    load_strictly(network, state, str(files.directory))
    return len(shared)
