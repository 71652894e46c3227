"""The pages of the connections and the buttons that make and sync one."""
