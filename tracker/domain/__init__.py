"""The rules: pure functions of facts and a given moment; no clock, no network, no storage."""
