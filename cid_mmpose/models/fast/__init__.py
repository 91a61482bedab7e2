"""The same numbers as the paper's modules beside it, faster and in less memory.

Each file says what it saves and why it is equal. Equal is meant up to rounding in float32; half precision rounds more.
"""
