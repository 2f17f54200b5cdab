"""Prediction: windows over the prepared case, and back onto the grid of the reference."""
