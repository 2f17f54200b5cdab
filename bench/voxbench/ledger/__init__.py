"""What weights have seen and what a task tests on: by the names of corpora, and by case."""
