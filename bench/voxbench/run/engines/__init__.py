"""Who runs the jobs: this process, or a pool of worker processes."""
