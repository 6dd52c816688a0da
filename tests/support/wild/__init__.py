"""Values from the wild with what becomes of each: tables only, nothing here is computed."""
