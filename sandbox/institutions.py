"""The sandbox's banks, with the ids that they have in Plaid's own Sandbox."""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.logos import logo

PRODUCTS = frozenset(
    (
        "assets",
        "auth",
        "balance",
        "identity",
        "income_verification",
        "investments",
        "liabilities",
        "recurring_transactions",
        "signal",
        "statements",
        "transactions",
        "transfer",
    )
)

Country = Literal[
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV",
    "PT", "BE", "AT", "FI",
]  # fmt: skip
Product = Literal[
    "assets", "auth", "balance", "balance_plus", "beacon", "cra_base_report",
    "cra_cashflow_insights", "cra_income_insights", "cra_lend_score", "cra_monitoring",
    "cra_network_insights", "cra_partner_insights", "cra_plaid_credit_score", "credit_details",
    "employment", "identity", "identity_match", "identity_verification", "income",
    "income_verification", "investments", "investments_auth", "layer", "liabilities",
    "pay_by_bank", "payment_initiation", "processor_identity", "processor_payments", "profile",
    "protect_linked_bank", "protect_transactions", "recurring_transactions", "signal",
    "standing_orders", "statements", "transactions", "transactions_refresh", "transfer",
]  # fmt: skip
TEST_URL = "https://plaid.com"
"""The site of the banks that exist only in the Sandbox."""
Health = Literal["HEALTHY", "DEGRADED", "DOWN"]


@dataclass(frozen=True)
class Institution:
    """A bank. It supports all of PRODUCTS except `without`.

    A `tokenized` bank gives each client a different number for the same account, so Plaid
    identifies the account by `persistent_account_id`.
    """

    institution_id: str
    name: str
    routing_numbers: tuple[str, ...]
    url: str
    color: str
    oauth: bool = False
    tokenized: bool = False
    countries: tuple[str, ...] = ("US",)
    without: frozenset[str] = frozenset()
    health: Health = "HEALTHY"
    is_supported: bool = True

    @property
    def products(self) -> frozenset[str]:
        return PRODUCTS - self.without

    def to_dict(self, *, metadata: bool = False, auth: bool = False) -> dict[str, Any]:
        """Return Plaid's Institution object.

        `metadata` adds the logo, color and URL; `auth` adds the supported Auth methods.
        """
        fields: dict[str, Any] = {
            # plaid-python 46 requires this field, which the published specification doesn't have.
            "connection_availability": "SUPPORTED" if self.is_supported else "NOT_SUPPORTED",
            "country_codes": self.countries,
            "dtc_numbers": [],
            "institution_id": self.institution_id,
            "name": self.name,
            "oauth": self.oauth,
            "products": sorted(self.products),
            "routing_numbers": self.routing_numbers,
        }
        if metadata:
            drawn = logo(self.name, self.color) if self.url == TEST_URL else None
            fields |= {"logo": drawn, "primary_color": self.color, "url": self.url}
        if auth:
            methods = {
                "automated_micro_deposits": True,
                "instant_auth": "auth" in self.products,
                "instant_match": True,
                "instant_micro_deposits": True,
            }
            fields["auth_metadata"] = {"supported_methods": methods}
        return fields


def _test_bank(institution_id: str, name: str, **fields: Any) -> Institution:
    """Create a bank that exists only in the Sandbox."""
    return Institution(institution_id, name, (), TEST_URL, "#1f1f1f", **fields)


# The test banks are those of https://plaid.com/docs/sandbox/institutions/.
INSTITUTIONS = (
    Institution(
        "ins_109508", "First Platypus Bank", ("110000000",), "https://plaid.com", "#1f1f1f"
    ),
    Institution(
        "ins_109509", "First Gingham Credit Union", ("110000001",), "https://plaid.com", "#2b6cb0"
    ),
    Institution(
        "ins_109510",
        "Tattersall Federal Credit Union",
        ("110000002",),
        "https://plaid.com",
        "#7c2d12",
    ),
    Institution("ins_109511", "Tartan Bank", ("110000003",), "https://plaid.com", "#14532d"),
    Institution("ins_109512", "Houndstooth Bank", ("110000004",), "https://plaid.com", "#004966"),
    Institution(
        "ins_127287",
        "Platypus OAuth Bank",
        ("110000005",),
        "https://plaid.com",
        "#4338ca",
        oauth=True,
        tokenized=True,
    ),
    Institution(
        "ins_1", "Bank of America", ("026009593",), "https://www.bankofamerica.com", "#e31837"
    ),
    Institution("ins_3", "Chase", ("021000021",), "https://www.chase.com", "#095aa6", oauth=True),
    Institution(
        "ins_4", "Wells Fargo", ("121000248",), "https://www.wellsfargo.com", "#d71e28", oauth=True
    ),
    Institution("ins_5", "Citibank Online", ("021000089",), "https://www.citi.com", "#056dae"),
    Institution(
        "ins_7",
        "Navy Federal Credit Union",
        ("256074974",),
        "https://www.navyfederal.org",
        "#004b8d",
    ),
    Institution(
        "ins_9",
        "Capital One",
        ("056073502",),
        "https://www.capitalone.com",
        "#004879",
        without=frozenset(("statements",)),
    ),
    Institution(
        "ins_10",
        "American Express",
        ("124085066",),
        "https://www.americanexpress.com",
        "#006fcf",
        without=frozenset(("auth", "transfer")),
    ),
    Institution(
        "ins_39",
        "RBC Royal Bank",
        ("000300012",),
        "https://www.rbcroyalbank.com",
        "#005daa",
        countries=("CA",),
    ),
    _test_bank("ins_43", "Tartan-Dominion Bank of Canada", countries=("CA",)),
    _test_bank("ins_116834", "Flexible Platypus Open Banking", countries=("GB",), oauth=True),
    _test_bank("ins_117650", "Royal Bank of Plaid", countries=("GB",), oauth=True),
    _test_bank("ins_117181", "Flexible Platypus Open Banking (QR)", countries=("GB",), oauth=True),
    _test_bank("ins_130016", "First Platypus Balance Bank"),
    _test_bank("ins_132241", "First Platypus OAuth App2App Bank", oauth=True),
    _test_bank("ins_135858", "Windowpane Bank"),
    _test_bank("ins_132363", "Unhealthy Platypus Bank - Degraded", health="DEGRADED"),
    _test_bank("ins_132361", "Unhealthy Platypus Bank - Down", health="DOWN"),
    _test_bank("ins_133402", "Unsupported Platypus Bank", is_supported=False),
    _test_bank("ins_133502", "Platypus Bank RUX Auth"),
    _test_bank("ins_133503", "Platypus Bank RUX Match"),
)
BY_ID = {institution.institution_id: institution for institution in INSTITUTIONS}
