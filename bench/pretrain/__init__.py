"""Pre-training that is done here: an objective, a source, once, and what it cost."""
