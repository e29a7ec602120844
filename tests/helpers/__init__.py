"""What tests of several parts share; pytest puts `tests` on the path, so `helpers` is imported."""
