"""What `make demo`, `make up` and `make cluster` show."""
