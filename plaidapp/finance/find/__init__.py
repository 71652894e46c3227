"""Find anything from everywhere: pages, accounts, merchants, categories, dates and actions."""
