"""The explorer: its filter, its rows, edits and exports."""
