"""Erasures on request: who is meant, what is left to do of them, and how they outlive a restore."""
