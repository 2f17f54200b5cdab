"""Races: what they declare before their first cell, where they stand, and what they found.

A race tests each comparison of an arm with its twin after every training, and stops once all have
a verdict. The comparisons, and what each of these interim analyses may spend of the error, are
written beside the records; the rest follows from that file and the records.
"""
