"""A model directory's weights in its network."""

from __future__ import annotations

from uniasr.checkpoints.ct_transformer_published import PunctuationFiles
from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.fsmn_vad import FsmnVadFiles
from uniasr.checkpoints.graph_weights import read_graph_state
from uniasr.checkpoints.language_model import LanguageModelFiles
from uniasr.checkpoints.weights import CTC_HEADS, load_strictly, read_state
from uniasr.errors import ModelError
from uniasr.networks.ct_transformer import CtTransformerNetwork
from uniasr.networks.fsmn_vad import FsmnVadNetwork
from uniasr.networks.language_model import RecurrentLm, TransformerLm, build_language_model
from uniasr.networks.uniasr import UniasrNetwork


def load_network(files: ModelFiles, *, ctc: bool = False) -> UniasrNetwork:
    """The network of a model, in evaluation mode, with its weights: an exported directory gives those in its graphs.

    `ctc`: with CTC heads, which training may use; they are new where the model has none and needs none.

    Raises ModelError for weights that do not fit the configuration.
    """
    state = read_graph_state(files.graphs) if files.weights is None else read_state(files.weights)
    network = UniasrNetwork(files.config, ctc=ctc)
    new = {} if files.config.ctc_heads else network.state_dict()
    heads = {name: value for name, value in new.items() if name.startswith(CTC_HEADS)}
    load_strictly(network, {**heads, **state}, str(files.weights or files.directory))
    return network.eval()


def load_fsmn_vad_network(files: FsmnVadFiles) -> FsmnVadNetwork:
    """The same for a voice activity detector."""
    state = read_graph_state(files.graphs) if files.weights is None else read_state(files.weights)
    network = FsmnVadNetwork(files.config.encoder)
    load_strictly(network, state, str(files.weights or files.directory))
    return network.eval()


def load_punctuation_network(files: PunctuationFiles) -> CtTransformerNetwork:
    """The network of a punctuation model, in evaluation mode, with its weights, from its graph where it has no others.

    Raises ModelError for weights that do not fit the configuration.
    """
    graphs = () if files.graph is None else (files.graph,)
    state = read_graph_state(graphs) if files.weights is None else read_state(files.weights)
    # Models of FunASR 0.x were saved inside a wrapper of this name.
    state = {name.removeprefix("punc_model."): value for name, value in state.items()}
    network = CtTransformerNetwork(files.config)
    load_strictly(network, state, str(files.weights or files.directory))
    return network.eval()


def load_language_model(files: LanguageModelFiles) -> TransformerLm | RecurrentLm:
    """The network of a language model, in evaluation mode, with its weights.

    Raises ModelError for weights that do not fit the configuration, and for a directory without weights.
    """
    if files.weights is None:
        raise ModelError(f"{files.directory} has no PyTorch weights; it is an onnxruntime directory already")
    state = read_state(files.weights)
    network = build_language_model(files.config)
    load_strictly(network, {name.removeprefix("lm."): value for name, value in state.items()}, str(files.weights))
    return network.eval()
