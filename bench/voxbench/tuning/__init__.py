"""The sampler and the pruner of a study, which Optuna is, and what they have seen."""
