"""Alerts -> channels: terminal, webhook, apprise, Alertmanager."""
