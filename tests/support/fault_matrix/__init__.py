"""What the fault matrix is made of: its table, its faults, its worlds, its outcomes."""
