"""People and maps as images: arrays in, arrays out, by numpy and OpenCV alone.

What needs torch, ``explain``, is imported from its own module.
"""

from .colour_memory import ColourMemory
from .crowd import draw_crowd
from .maps import overlay, sheet
from .options import DrawOptions
from .people import draw_people

__all__ = ['ColourMemory', 'DrawOptions', 'draw_crowd', 'draw_people', 'overlay', 'sheet']
