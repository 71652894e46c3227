"""Account types with their subtypes (https://plaid.com/docs/api/accounts/#account-type-schema)."""

SUBTYPES: dict[str, frozenset[str]] = {
    "depository": frozenset(
        ("cash management", "cd", "checking", "ebt", "hsa", "limited purpose checking",
         "money market", "paypal", "prepaid", "savings")
    ),
    "credit": frozenset(("credit card", "paypal")),
    "loan": frozenset(
        ("auto", "business", "commercial", "commercial line of credit", "construction", "consumer",
         "home equity", "home equity loan",
         "line of credit", "loan", "mortgage", "other", "overdraft", "student")
    ),
    "investment": frozenset(
        ("401a", "401k", "403B", "457b", "529", "brokerage", "cash isa", "crypto exchange",
         "education savings account", "fhsa", "fixed annuity", "gic",
         "health reimbursement arrangement", "hsa", "ira", "isa", "keogh", "lif",
         "life insurance", "lira", "lrif", "lrsp", "mutual fund", "non-custodial wallet",
         "non-taxable brokerage account", "other", "other annuity", "other insurance", "pension",
         "prediction market",
         "prif", "profit sharing plan", "qshr", "rdsp", "resp", "retirement", "rlif", "roth",
         "roth 401k", "roth 403B", "roth 457b", "roth pension", "roth profit sharing plan",
         "roth thrift savings plan", "rrif", "rrsp", "sarsep", "sep ira", "simple ira", "sipp",
         "stock plan", "tfsa", "thrift savings plan", "trust", "ugma", "utma",
         "variable annuity")
    ),
    "other": frozenset(("other",)),
}  # fmt: skip
