"""What baselines are pre-trained for here: modules that wrap a backbone and return a loss."""
