"""Public data sets in the layout of their release, a file each."""
