"""Whose share a lookup of a key uses up, before it is known whether the webhook is Plaid's.

Anybody can send a webhook with a made-up key id. Only who knows one of Plaid's ids can name an Item
or a session of Link that is stored here, and those ids can't be guessed. So strangers share their
lookups by address and leave alone those of webhooks that name something of ours.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from plaidapp.bank.link_payloads import hash_of
from plaidapp.bank.payloads import Event
from plaidapp.store.connections import items, link_sessions
from plaidapp.store.webhooks.signing_keys import Sender


def sender_of(event: Event, address: str) -> Sender:
    network = _network(address)
    if event.item_id and (item := items.by_plaid_id(event.item_id)):
        return Sender(f"item {item.id} {network}", names_ours=True)
    if event.link_token and (session := link_sessions.of_token(hash_of(event.link_token))):
        return Sender(f"link {session.id} {network}", names_ours=True)
    return Sender(network, names_ours=False)


def _network(address: str) -> str:
    """Return an IPv6 address's network: a single subscriber has all addresses of one."""
    try:
        known = ip_address(address)
    except ValueError:  # a Unix socket has none
        return ""
    if isinstance(known, IPv6Address):
        return str(ip_network((known, 64), strict=False))
    return str(known)
