"""Routes: which way packets take through a router."""
