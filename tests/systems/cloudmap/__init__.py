"""Cloud Map's adapter against the emulator, and its pure parts by themselves."""
