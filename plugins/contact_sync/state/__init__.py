"""The state database: what has been read, what is in flight, what SendGrid confirmed."""
