"""Networks, one architecture a file.

A file ends with its `Architecture`: a name, sizes, and how a network of a size is made; it is
registered under `voxbench.architectures`. Encoders without a decoder of their own all get the same
one (`decoder.py`), so that arms differ in the encoder alone.
"""

from voxbench.model.backbones.backbone import Backbone

__all__ = ["Backbone"]
