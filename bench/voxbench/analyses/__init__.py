"""One module an analysis: from the records of a folder to tables and sentences."""
