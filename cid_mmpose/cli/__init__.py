"""The command: one small lazy module a verb."""
