"""What a baseline is pre-trained for: modules that wrap a backbone and return a loss."""
