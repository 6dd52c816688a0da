"""What people are shown of the state database. Only reads."""
