"""Model names: the directory that a name means on this machine, and which names there are."""

from uniasr.hub.catalogue import AvailableModel, PublishedModel, available, published
from uniasr.hub.resolve import DEFAULT_MODEL, DEFAULT_VAD, resolve

__all__ = ["DEFAULT_MODEL", "DEFAULT_VAD", "AvailableModel", "PublishedModel", "available", "published", "resolve"]
