"""Power: which further trainings or patients would settle an undecided comparison, at what cost."""
