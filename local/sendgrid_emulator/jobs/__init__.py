"""Carrying out jobs: rows read, checked and applied to the account's contacts."""
