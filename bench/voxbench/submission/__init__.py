"""Results of others as one file: packed, verified without trusting it, merged into `results/`.

    records ─ pack ─▶ bundle.zip ─ archive ─▶ members, confined and bounded, in memory
                                  ─ bundle ──▶ records (strict JSON) and label maps (NIfTI)
                                  ─ verify ──▶ errors, warnings, and what could not be checked here
                                  ─ merge ───▶ results/records, results/submissions

Nothing of a bundle is written to disk before all of it is verified. A hash proves that a file is
whole, not that it is honest: what verification can tell, and what it can't, is in
docs/submissions.md.
"""
