"""Whose share a lookup of a key uses up, before it is known whether the webhook is Plaid's.

Anybody can send a webhook with a made-up key id. Only who knows one of Plaid's ids can name an Item
or a session of Link that is stored here, and those ids can't be guessed. So strangers share their
lookups by address and leave alone those of webhooks that name something of ours.
"""

from plaidapp.addresses import network_of
from plaidapp.bank.link_payloads import hash_of
from plaidapp.bank.payloads import Event
from plaidapp.store.connections import items, link_sessions
from plaidapp.store.webhooks.signing_keys import Sender


def sender_of(event: Event, address: str) -> Sender:
    network = network_of(address) or ""
    if event.item_id and (item := items.by_plaid_id(event.item_id)):
        return Sender(f"item {item.id} {network}", names_ours=True)
    if event.link_token and (session := link_sessions.of_token(hash_of(event.link_token))):
        return Sender(f"link {session.id} {network}", names_ours=True)
    return Sender(network, names_ours=False)
