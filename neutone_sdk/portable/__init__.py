"""stand-in; the boss has the real one."""
