"""Machines' doors: phones, viewers, the API, health."""
