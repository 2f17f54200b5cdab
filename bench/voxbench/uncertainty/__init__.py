"""Can a model's doubt be trusted? Arrays in, numbers out: no file, no network, no torch.

The components and applications of ValUES (Kahl et al., ICLR 2024): `measures` makes maps of
uncertainty from the members of a prediction model, `aggregation` and `agreement` make one score a
case of a map or of the members, and `detection`, `failure`, `calibration` (with `platt`),
`ambiguity`, `active` and `conformal` say what the scores and maps are worth, with `intervals` over
patients.
"""
