"""The installed stack: versions, stand-ins for what is missing, and what this CPU can do."""
