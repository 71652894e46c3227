"""The error of this package."""


class BackupError(Exception):
    """Nothing was saved or restored. `str()` is a sentence for the operator, without secrets."""
