"""Training: one lean loop under Lightning, one recipe for every arm."""
