"""The versions that the key of every cell holds; those of what has changed: `design.versions`."""

from voxbench.data.cache import PREPARED_VERSION
from voxbench.metrics import METRICS_VERSION
from voxbench.pretrain import PRETRAINING_VERSION
from voxbench.records import SCHEMA

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": METRICS_VERSION,
    "prepared": PREPARED_VERSION,
    "pretraining": PRETRAINING_VERSION,
}
