"""All arms of a folder against each other.

board ─▶ pairs, league ─▶ sensitivity ─▶ tables ─▶ rank
scores   every pair,      other ways     columns   a folder's rankings
of arms  ranks, ties      to rank
"""
