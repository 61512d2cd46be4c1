"""The integration bridge: its connection, its care, and its limits."""
