"""SendGrid's Marketing Campaigns API. The only HTTP of the package."""
