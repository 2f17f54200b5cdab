"""Pre-training that is done here: an objective, a source, once, and what it cost."""

PRETRAINING_VERSION = 1
"""Of what the engine makes from the same baseline, source and recipe."""
