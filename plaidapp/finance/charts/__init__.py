"""What the charts of a page show: lines, bars and sparklines. macros/charts.html draws them.

Amounts are exact. Only places within a drawing are floats. May import no other subject.
"""
