"""Info-NCE: a vector is to find its partner among others, in a batch or in a queue."""

from math import log

import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.toolkit import Term

from voxbench_baselines.objectives.cosine import cosines


def info_nce(embeddings: Tensor, temperature: float, weight: float = 1.0) -> Term:
    """Contrast of two views (Chen et al., SimCLR, 2020): rows i and i + b are of one patch.

    Args:
        embeddings: (2·b, features), of any length.
        temperature: divides the cosines.
        weight: of the term.
    """
    count = len(embeddings)
    own = torch.eye(count, dtype=torch.bool, device=embeddings.device)
    similar = (cosines(embeddings, embeddings) / temperature).masked_fill(own, float("-inf"))
    partner = torch.arange(count, device=embeddings.device).roll(count // 2)
    right = (similar.argmax(1) == partner).float().mean()
    chance = 1 / (count - 1)
    loss = F.cross_entropy(similar, partner)
    return Term(loss, {"chance": -log(chance)}, right, chance, weight)


def queue_contrast(
    query: Tensor, key: Tensor, queue: Tensor, kept: Tensor, temperature: float
) -> Term:
    """Info-NCE of each query with its key, against the others of the batch and those of a queue.

    Right is a query whose own key is the nearest of the batch's: vectors of the queue come from
    earlier teachers, and their age alone tells them apart.

    Args:
        query: (b, features), of any length, as all vectors here.
        key: (b, features); row i is of the same patch as that of the queries.
        queue: (k, features).
        kept: how many of its rows, from the first, hold a vector yet.
        temperature: divides the cosines.
    """
    unused = torch.arange(len(queue), device=queue.device) >= kept
    earlier = cosines(query, queue).masked_fill(unused, float("-inf"))
    batch = cosines(query, key)
    logits = torch.cat([batch, earlier], dim=1) / temperature
    own = torch.arange(len(query), device=query.device)
    return Term(
        F.cross_entropy(logits, own),
        {"chance": torch.log(len(query) + kept)},
        (batch.argmax(1) == own).float().mean(),
        1 / len(query),
    )
