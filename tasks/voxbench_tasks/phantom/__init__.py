"""CT-like abdomens from a deterministic generator: a source and two targets, out of the box.

tissues ─▶ organs ─ placed, warped ─▶ patient ─ canvas ─▶ scanner ─▶ exam ─▶ tasks
HU by phase  solids in mm              tissue and HU       kernel, noise  NIfTI  cards, splits
"""

from voxbench_tasks.phantom.tasks import PhantomAtlas, PhantomLesion, PhantomShifted

__all__ = ["PhantomAtlas", "PhantomLesion", "PhantomShifted"]
