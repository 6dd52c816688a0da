"""A verification: SendGrid's own export compared with B2CORE, and what a run is told to repair."""
