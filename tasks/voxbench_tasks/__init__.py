"""The built-in tasks: one file a data set or family, their frozen splits in `splits/`."""
