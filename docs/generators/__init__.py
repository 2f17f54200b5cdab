"""The parts of pages that are made of the code when the pages are built: nothing is copied."""
