"""Weights that others published: fetched, listed, and matched with the baselines they fit."""
