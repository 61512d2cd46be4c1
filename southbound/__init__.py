"""Realised state: rows, their store, and the watch that carries them to chassis agents."""
