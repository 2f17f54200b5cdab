"""The doubt of others, from files: members in folders, references, and what the doubt is worth.

`members` finds and reads what a model predicted, `case` measures one case, `validation` learns from
cases apart what needs them, `applications` judges all of them, `tables` shows it.
"""
