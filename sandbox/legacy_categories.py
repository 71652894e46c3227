"""Part of Plaid's legacy category taxonomy, which /categories/get still returns."""

from typing import Any

_HIERARCHIES = {
    "10000000": ("special", "Bank Fees"),
    "10001000": ("special", "Bank Fees", "Overdraft"),
    "10002000": ("special", "Bank Fees", "ATM"),
    "12000000": ("place", "Community"),
    "12001000": ("place", "Community", "Animal Shelter"),
    "13000000": ("place", "Food and Drink"),
    "13005000": ("place", "Food and Drink", "Restaurants"),
    "13005032": ("place", "Food and Drink", "Restaurants", "Fast Food"),
    "13005043": ("place", "Food and Drink", "Restaurants", "Coffee Shop"),
    "14000000": ("place", "Healthcare"),
    "15000000": ("special", "Interest"),
    "15001000": ("special", "Interest", "Interest Earned"),
    "16000000": ("special", "Payment"),
    "16001000": ("special", "Payment", "Credit Card"),
    "16002000": ("special", "Payment", "Rent"),
    "16003000": ("special", "Payment", "Loan"),
    "17000000": ("place", "Recreation"),
    "17018000": ("place", "Recreation", "Gyms and Fitness Centers"),
    "18000000": ("place", "Service"),
    "19000000": ("place", "Shops"),
    "19047000": ("place", "Shops", "Supermarkets and Groceries"),
    "20000000": ("special", "Tax"),
    "21000000": ("special", "Transfer"),
    "21005000": ("special", "Transfer", "Credit"),
    "21006000": ("special", "Transfer", "Debit"),
    "21009000": ("special", "Transfer", "Payroll"),
    "22000000": ("place", "Travel"),
    "22001000": ("place", "Travel", "Airlines and Aviation Services"),
    "22016000": ("place", "Travel", "Taxi"),
}
CATEGORIES: list[dict[str, Any]] = [
    {"category_id": category_id, "group": group, "hierarchy": hierarchy}
    for category_id, (group, *hierarchy) in _HIERARCHIES.items()
]
