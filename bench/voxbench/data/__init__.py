"""Volumes: read, checked, brought onto one grid, cached, split, sampled and augmented."""
