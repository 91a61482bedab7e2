"""The engine room: the same numbers as the paper's modules beside it, faster and in less memory."""
