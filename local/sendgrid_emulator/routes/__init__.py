"""The routes of SendGrid's API."""
