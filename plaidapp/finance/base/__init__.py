"""What every finance page needs: the blueprints, the answer to polls, form fields, bank names.

Every other package of `finance` may import this one. It imports none of them.
"""
