"""Port security: what a port may say it is, and what may reach it."""
