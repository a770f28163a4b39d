"""Model names: the directory that a name means on this machine, and which names there are."""

from uniasr.hub.catalogue import AvailableModel, PublishedModel, available, published
from uniasr.hub.resolve import DEFAULTS, named_part, resolve, resolve_part

__all__ = [
    "DEFAULTS",
    "AvailableModel",
    "PublishedModel",
    "available",
    "named_part",
    "published",
    "resolve",
    "resolve_part",
]
