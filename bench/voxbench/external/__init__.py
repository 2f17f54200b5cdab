"""Results of others as records: nnU-Net's summary, wide and long CSV. Marked, never mixed in."""
