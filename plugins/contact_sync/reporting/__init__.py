"""Pure: what people read about runs and clients."""
