"""The same sync by other means: what people take instead of this package, on the same data."""
