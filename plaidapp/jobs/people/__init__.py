"""Deleting everything of a person.

It may import `connections` and `pulls`, and no other subject of this layer.
"""
