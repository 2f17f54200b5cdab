"""Races: what they declare before their first cell, where they stand, and what they found.

A race looks at each comparison of an arm with its twin after every training, and stops once all
have a verdict. What it looks at, and what each look may spend of the error, is written beside the
records; the rest follows from that file and the records.
"""
