"""The administrator's side of the emulator."""
