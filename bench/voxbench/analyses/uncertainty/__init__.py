"""What the doubt of finished cells is worth, from their records of uncertainty.

The way of a value: `doubts` reads the records of an arm and a prediction model, `figures` makes of
each run values of patients (of areas their pseudo-values). `rows` gives them intervals and sets
them beside the scratch twin, `methods` sets ways of doubting beside the best, `separation` one kind
of uncertainty beside the other. `findings` holds all of it, `tables` shows it.
"""
