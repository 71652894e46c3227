"""The figures of the dashboard: net worth, accounts, cash flow and spending. May import `base`."""
