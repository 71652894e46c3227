"""Calls that show whether Plaid can be used as this app needs it. For the operator only."""

from datetime import datetime
from email.utils import parsedate_to_datetime

from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_request import InstitutionsGetRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest

from plaidapp.sealing import Sealed

from . import link_payloads, payloads
from .plaid_calls import PlaidCalls

ENVIRONMENTS = ("sandbox", "development", "production")


class Probes(PlaidCalls):
    """Each method raises BankError and nothing else. A `deadline` is in seconds."""

    def plaids_time(self, country: str, deadline: float) -> datetime | None:
        """Make a call that needs only good keys. Return when Plaid answered, by its own clock."""
        request = InstitutionsGetRequest(count=1, offset=0, country_codes=[CountryCode(country)])
        response = self._response("/institutions/get", request, deadline)
        try:
            return parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return None

    def environment_of(self, sealed_token: Sealed) -> str | None:
        """Return the environment that an access token says it is for; None if it doesn't."""
        _, _, rest = self._open(sealed_token).partition("-")
        name = rest.partition("-")[0]
        return name if name in ENVIRONMENTS else None

    def webhook_address(self, sealed_token: Sealed, deadline: float) -> str | None:
        """Return where Plaid sends the webhooks of an Item."""
        request = ItemGetRequest(access_token=self._open(sealed_token))
        answer = self._call("/item/get", request, link_payloads.ItemAnswer, deadline)
        return answer.item.webhook

    def send_test_webhook(self, sealed_token: Sealed, deadline: float) -> None:
        """Have Plaid's Sandbox send a webhook about an Item: that there may be something new.

        https://plaid.com/docs/api/sandbox/#sandboxitemfire_webhook
        """
        request = SandboxItemFireWebhookRequest(
            access_token=self._open(sealed_token), webhook_code="SYNC_UPDATES_AVAILABLE"
        )
        self._call("/sandbox/item/fire_webhook", request, payloads.Nothing, deadline)

    def confirm_webhook_address(self, sealed_token: Sealed, address: str, deadline: float) -> None:
        """Tell Plaid where to send an Item's webhooks. It answers with one, in production too.

        https://plaid.com/docs/api/items/#itemwebhookupdate
        """
        request = ItemWebhookUpdateRequest(access_token=self._open(sealed_token), webhook=address)
        self._call("/item/webhook/update", request, payloads.Nothing, deadline)
