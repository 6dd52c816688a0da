"""What every call passes before it reaches its route."""
