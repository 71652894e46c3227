"""The control plane: what tests tell the sandbox to do at its banks. None of it is Plaid's API."""
