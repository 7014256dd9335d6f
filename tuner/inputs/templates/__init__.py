"""Templates of infrastructure, as text: where the memory size of a function stands, and how to change only that.

Nothing is parsed and written again: a parser tells the place, and the text there is replaced. What a template cannot
say in one place (a condition, a value from elsewhere) is refused with the reason.
"""
