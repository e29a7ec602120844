"""Inputs that are broken at random: valid files, what is done to them, and what came of it."""
