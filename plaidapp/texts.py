"""Mark sentences that the database stores, so that they can be translated when they are shown."""


def gettext_noop(sentence: str) -> str:
    """Return `sentence` as it is; `make messages` finds the call and adds it to the catalog.

    A job stores the English sentence because it does not know who will read it. Pages translate it
    with the filter `sentence`.
    """
    return sentence
