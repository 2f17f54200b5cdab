"""Baselines: one strategy or published family a file.

To add one, write a frozen dataclass with a `card`, on top of

- `Published` for weights that are a file: `file()` finds it, `translate()` renames its tensors;
- `Pretrained` for weights that are made here: `objective()` wraps the backbone in a loss, whose
  module lies in `objectives/`;

and register it under `voxbench.baselines` in `pyproject.toml`. Backbones keep the published key
names, so that most families need no `translate()` of their own. Nothing here imports torch
before it is used.
"""
