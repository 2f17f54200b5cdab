"""A third-party package with one task and one baseline."""
