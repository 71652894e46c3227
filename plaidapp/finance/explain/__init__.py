"""What a figure is made of, written out as a sum. May import the subjects that show figures.

Every figure on a page links to its explanation (templates/macros/explain.html). Each line of one
leads to rows or to another explanation.
"""
