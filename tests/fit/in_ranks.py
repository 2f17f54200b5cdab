"""One of two processes that train the network of `test_ranks`: `in_ranks.py RANK FOLDER RECIPE`."""

import json
import shutil
import sys
from pathlib import Path

import torch
from voxbench.design.recipe import Recipe
from voxbench.fit import callbacks
from voxbench.fit.ranks import Ranks
from voxbench.progress import Stage, heard_by

sys.path.insert(0, str(Path(__file__).parent))
from test_share import network, trained

callbacks.CHECKPOINT_SECONDS = 0
KEPT = 10  # the step whose checkpoint is kept


def main(rank: str, folder: str, told: str) -> None:
    recipe, place = Recipe.model_validate_json(told), Path(folder)
    checkpoint = place / "last.ckpt"

    def keep(news: Stage) -> None:
        if news.done == KEPT + 1:
            shutil.copy(checkpoint, place / "kept.ckpt")

    torch.set_num_threads(1)
    net = network()
    ranks = Ranks(int(rank), recipe.devices, place / "meeting")
    with heard_by(keep):
        losses = trained(net, recipe, checkpoint=checkpoint, ranks=ranks)
    (place / f"losses-{rank}.json").write_text(json.dumps(losses))
    torch.save(net.state_dict(), place / f"weights-{rank}.pt")


main(*sys.argv[1:])
