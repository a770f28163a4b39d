"""The networks as PyTorch modules: the only place with layers. Runtime graphs are exported from these modules.

Parameter names are the published ones, so a published state dict loads strictly and needs no table of names.
"""
