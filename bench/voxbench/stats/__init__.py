"""From records to effects with intervals. The unit is the patient; no torch here."""
