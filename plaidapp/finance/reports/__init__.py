"""The overview: net worth, income and spending, accounts."""
