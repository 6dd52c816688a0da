"""A verification: SendGrid's own export compared with B2CORE. Only reads, and takes no lease."""
