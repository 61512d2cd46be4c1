"""Flows that a switch should hold, and how it gets there."""
