"""What a shell calls: `python -m contact_sync`."""
