"""What every room uses. Imports nothing of the package."""
