"""A third-party package with a task, a baseline and a network."""
