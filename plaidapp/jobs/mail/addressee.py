"""Who gets a mail, and whether it is sent at all.

The page that has it sent doesn't look up who has an address: the time of its answer would tell.
"""

from plaidapp import policy
from plaidapp.store import Mail, User
from plaidapp.store.people import email_addresses, mail_links, outbox
from plaidapp.store.people.outbox import USERNAME, Content


def of(mail: Mail, content: Content, *, confirmed: bool) -> Content | None:
    """Return what is sent to whom; None if nothing is to be sent.

    Only a person who has confirmed an address has it, if `confirmed`.
    """
    if mail.kind == outbox.NOTICE:
        return content
    holder = email_addresses.holder_of(content.to, confirmed=confirmed)
    if mail.kind == outbox.RESET:
        return _addressed(content, holder) if holder and _leads_on(mail, holder) else None
    is_anothers = holder is not None and holder.id != mail.user_id
    if mail.kind == outbox.BANKS:
        is_wanted = holder and not is_anothers and (holder.bank_mails or holder.check_mails)
        return content if is_wanted else None
    if mail.kind == outbox.KNOWN:
        return _addressed(content, holder) if holder and is_anothers else None
    return content if not is_anothers and _is_alive(mail, mail_links.CONFIRM) else None


def _addressed(content: Content, holder: User) -> Content:
    """Send it to the address that the person has confirmed, not to how a stranger spelled it."""
    text = content.text.replace(USERNAME, holder.username)
    return content._replace(to=holder.email, text=text)


def _leads_on(mail: Mail, holder: User) -> bool:
    """Have the link of a mail work from its first attempt on. False if it works no more."""
    if mail.attempts > 1:
        return _is_alive(mail, mail_links.RESET)
    mail.user_id = holder.id
    mail_links.put(
        holder, mail_links.RESET, holder.email, mail.token_hash or "", policy.RESET_LINK_LIFE
    )
    return True


def _is_alive(mail: Mail, purpose: str) -> bool:
    return mail_links.find(purpose, mail.token_hash or "") is not None
