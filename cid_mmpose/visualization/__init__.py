from .explain import Explanation, explain
from .maps import caption, overlay, sheet
from .people import draw_people

__all__ = ['Explanation', 'caption', 'draw_people', 'explain', 'overlay', 'sheet']
