"""The page of recurring payments."""
