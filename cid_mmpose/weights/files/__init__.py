"""Files that hold weights, read so that nothing in them is run and no byte of them is taken for anything but a number.

Torch's own reader is not enough for files of strangers. It believes the sizes and strides that a file states, so that
a changed byte can give weights of memory that nobody wrote, or of memory that is not the file's. Its list of allowed
names grows with its version and cannot be made shorter, and it looks at no checksum.
"""

from .torch_files import Refused, read_torch_file

__all__ = ['Refused', 'read_torch_file']
