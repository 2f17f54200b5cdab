"""What the doubt of finished cells is worth, from their records of uncertainty.

`doubts` reads what an arm said by a prediction model, `figures` judges it by every application,
`rows` sets it beside the scratch twin.
"""
