"""The front page: does pre-training pay off, for whom, and at what cost?"""
