"""What nobody documents of a SendGrid account, asked with contacts of the probe's own."""
