"""Neighbours of routers: known from intent, learned from what they say, or asked for."""
