"""Read a pickle without trusting it. Whoever can write to Redis could run code with a pickle.

RQ stores a job's function and arguments as a pickle, and a plain `rq worker` expects one. So jobs
stay pickles, but only the operations that build numbers, texts and containers are read. The names
of the operations are looked at first, because even some that import nothing do harm: one of ten
bytes has Python allocate gigabytes.
https://docs.python.org/3/library/pickle.html#restricting-globals
"""

import io
import pickle
import pickletools
import re
from typing import Any, NoReturn

HARMLESS = re.compile(
    "PROTO|FRAME|MEMOIZE|BINGET|MARK|STOP|NONE|BININT[12]?|LONG1|SHORT_BINUNICODE|"
    "EMPTY_TUPLE|TUPLE[123]?|EMPTY_LIST|APPENDS?|EMPTY_DICT|SETITEMS?"
)
"""What `pickle.dumps` needs for a function's name, whole numbers, tuples, lists and dicts."""


class _Reader(pickle.Unpickler):
    """A second lock: it would import nothing even if an operation slipped through."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError("names something to import")


class SafePickle:
    """RQ's interface of a serializer."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def loads(data: bytes) -> Any:
        """Raises ValueError. The caller limits the length of `data`, and so the time it takes."""
        for operation, _, _ in pickletools.genops(data):
            if not HARMLESS.fullmatch(operation.name):
                raise ValueError(f"has the pickle operation {operation.name}")
        try:
            return _Reader(io.BytesIO(data)).load()
        except Exception as error:
            raise ValueError("is no pickle") from error
