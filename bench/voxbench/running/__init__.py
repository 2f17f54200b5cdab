"""Running a sweep: expand, plan, run each cell once, store its record."""
