"""Anomalies as signals: the scores of another signal's readings, judged as they come, remembered with the rest."""
