"""Turn an error that waiting won't fix into the state of an Item."""

from plaidapp.bank.error_sentences import LOGIN_REQUIRED
from plaidapp.bank.errors import BankError
from plaidapp.store.connections import item_states, state_changes

from ..pulls import item_requests


def set_error(item_id: int, error: BankError) -> None:
    """Store the error; pages then ask the person to log in, or show its sentence."""
    state = item_states.LOGIN_REQUIRED if error.code == LOGIN_REQUIRED else item_states.ERROR
    state_changes.set_state(item_id, state, error.code, error.message)
    item_requests.standby(item_id)
