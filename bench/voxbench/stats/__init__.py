"""Numbers in, numbers out: no record, no arm, no torch. The unit is the patient."""
