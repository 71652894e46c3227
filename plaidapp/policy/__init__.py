"""How often a bank is asked, how failures are retried, when a worker counts as dead, how long a
log-in lasts, what a client may send, and how many passwords may be guessed.

Every number of these rules is in this package, and so are the formulas that use them. Others write
`policy.NAME`, whichever module has it. Which of Plaid's errors are worth a retry is in
`bank/error_sentences.py`, and what the web server tolerates is in `server/limits.py`.
"""

from .accounts import *  # noqa: F403
from .backups import *  # noqa: F403
from .calendars import *  # noqa: F403
from .calls import *  # noqa: F403
from .checks import *  # noqa: F403
from .database import *  # noqa: F403
from .doctor import *  # noqa: F403
from .health import *  # noqa: F403
from .logos import *  # noqa: F403
from .mails import *  # noqa: F403
from .notices import *  # noqa: F403
from .plaid_limits import *  # noqa: F403
from .retention import *  # noqa: F403
from .schedule import *  # noqa: F403
from .visitors import *  # noqa: F403
