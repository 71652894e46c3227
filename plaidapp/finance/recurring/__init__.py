"""The page of recurring payments and the dashboard's list of upcoming ones. May import `base`."""
