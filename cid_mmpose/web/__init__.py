"""A page to play with (``cid web``). Only ``page`` and ``server`` need Gradio, and import it when they are called."""
