"""Answers for people about clients and the account; only `account_fields` creates anything."""
