"""Phones and viewers that use the public doors only, to test and show any deployment."""
