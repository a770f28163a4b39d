"""Parameters, gradients and optimiser state divided over the processes of a run, for models that one GPU cannot hold.

An encoder layer or a decoder is whole only while it computes (FSDP, arXiv 2304.11277). What is saved is whole: a
snapshot does not tell how many processes wrote it, and any number can go on from it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from uniasr.networks.layers.fsmn_decoder import ScamaDecoder
from uniasr.networks.layers.sanm import EncoderLayer
from uniasr.networks.uniasr import UniasrNetwork

State: TypeAlias = Mapping[Any, Any]
"""A state dict of a module or an optimiser."""


def shard(objective: nn.Module) -> None:
    """Keep only the own part of every parameter; the module's forward pass brings together what it needs.

    All processes call it with the same weights, before an optimiser knows the parameters.
    """
    # Left to itself it would take a GPU that the run does not use.
    mesh = init_device_mesh(next(objective.parameters()).device.type, (distributed.get_world_size(),))
    # A layer's keys and values are views; nobody writes into them.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    for part in list(objective.modules()):
        if isinstance(part, EncoderLayer | ScamaDecoder):
            fully_shard(part, mesh=mesh)
        if isinstance(part, ScamaDecoder):
            register_fsdp_forward_method(part, "sequence")
    fully_shard(objective, mesh=mesh)


def gathered(state: State) -> dict[Any, Any]:
    """A state dict with whole tensors, those that were divided on the CPU. Every process calls it."""
    return {name: _gathered(value) for name, value in state.items()}


def _gathered(value: Any) -> Any:
    if isinstance(value, DTensor):
        return value.full_tensor().cpu()
    return gathered(value) if isinstance(value, Mapping) else value


def divided_weights(state: State, module: nn.Module) -> dict[str, Any]:
    """The own part of whole weights, where the module's parameters are divided."""
    places = module.state_dict()
    return {name: _divided(value, places.get(name)) for name, value in state.items()}


def divided_moments(state: State, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The own part of an optimiser's whole state, where its parameters are divided."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    moments = {
        number: {name: _divided(value, parameters[number]) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": moments}


def _divided(value: Any, like: Any) -> Any:
    """A whole tensor divided as a parameter of the same shape; anything else as it is."""
    if not isinstance(like, DTensor) or not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def norm_of(norm: Tensor) -> float:
    """The gradient's norm over all parts, from what clipping returns. Every process calls it."""
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def whole(network: UniasrNetwork) -> UniasrNetwork:
    """The network with whole parameters, itself where they are not divided. Every process calls it."""
    parameter = next(network.parameters())
    if not isinstance(parameter, DTensor):
        return network
    with torch.device("meta"):
        copy = UniasrNetwork(network.config, ctc=hasattr(network, "ctc"))
    copy.load_state_dict(gathered(network.state_dict()), assign=True)
    return copy.to(parameter.device)
