"""The only reader of B2CORE's database."""
