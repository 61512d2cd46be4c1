"""Measurements of Treadle, beside Debian's OVN where it has the same step.

``python -m benchmarks`` runs them all and writes one JSON document. Times of a noisy
machine are worth little alone: compare within one run, and read ratios.
"""
