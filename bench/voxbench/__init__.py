"""voxbench: which pre-training pays off in 3D medical segmentation.

The way of the data, folder by folder:

    sweep.toml ─ design ─▶ cells ─ run ─▶ one cell:
        plugins     task and baseline, by name          (tasks/, baselines/)
        data        prepare, split, fraction, patches
        pretrain    weights that are made here, once
        published   weights that others made: fetched, listed, matched
        ledger      what weights have seen, and whether the task tests on it
        model       backbone + weights, audited
        fit         one recipe for every arm
        predict     windows, back on the native grid
        metrics     Dice, NSD, HD95 per case and class
        record      one atomic JSON a cell
    records ─ stats ─▶ effects with intervals ─ report ─▶ tables, curves ─ site ─▶ pages
"""
