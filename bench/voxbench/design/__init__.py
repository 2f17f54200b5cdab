"""What is compared, as pure values: a sweep, its cells, their keys and seeds."""
