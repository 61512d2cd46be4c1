"""Intent to logical flows."""
