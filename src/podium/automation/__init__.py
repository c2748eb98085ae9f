"""Durable automation: events, triggers, workflows, alerts, incidents."""
