"""Benchmarks: what the design promises, measured. ``vivavoce bench`` runs them, tests do not."""
