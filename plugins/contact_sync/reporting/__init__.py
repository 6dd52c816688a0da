"""Pure: what people are told about runs and clients."""
