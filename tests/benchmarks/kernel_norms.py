"""How much longer the kernels of pre-trained weights are than those of their initialisation.

python tests/benchmarks/kernel_norms.py FILE    # one that `voxbench pretrain` wrote
"""

import sys
from statistics import median

import torch
from voxbench.model.weights import read_weights
from voxbench_baselines.checkpoint_file import CheckpointFile


def main(path: str) -> None:
    baseline = CheckpointFile(weights=path)
    torch.manual_seed(0)
    initial = baseline.backbone(baseline.card.channels or 1).state_dict()
    ratios = [
        float(tensor.norm() / initial[name].norm())
        for name, tensor in read_weights(baseline.file()).items()
        if name in initial and tensor.ndim > 1 and tensor.is_floating_point()
    ]
    low, high = min(ratios), max(ratios)
    print(f"{len(ratios)} kernels: {low:.2f} to {high:.2f}, median {median(ratios):.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
