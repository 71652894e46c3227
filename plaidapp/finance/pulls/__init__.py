"""The buttons that start a pull, and the panel that follows it."""
