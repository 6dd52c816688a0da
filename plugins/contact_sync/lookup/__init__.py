"""Answers for people about clients and the account; only `custom_fields` creates anything."""
