"""Dashboards for Grafana, as values; ``grafana`` alone needs grafana-foundation-sdk."""
