"""Asynchronous jobs: queued, carried out, reported."""
