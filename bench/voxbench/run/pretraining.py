"""One pre-training that cells wait for."""

from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.run.worker import Worker, why_failed


def run_pretraining(plan: PretrainingPlan, worker: Worker) -> str | None:
    """Make weights, or find them made; why that failed, if it did."""
    try:
        make_weights(plan, device=worker.device, threads=worker.threads)
    except Exception as error:  # noqa: BLE001 (one pre-training never stops the others)
        return why_failed(error)
    return None
