"""Pure: a client's row becomes a contact, and a contact becomes a payload."""
