"""Podium seen from outside: settings for metrics and traces, and spans for OpenTelemetry. It decides nothing."""
