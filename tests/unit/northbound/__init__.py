"""Intent: what is accepted, what is refused, and what is written."""
