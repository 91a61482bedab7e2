"""What is chosen when a model is exported; it is then fixed in the file."""

from dataclasses import dataclass

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import MULTIPLE

LEAST_OPSET = 18  # the first that has all that the graph needs as torch's exporter writes it
MOST_OPSET = 23


@dataclass(frozen=True)
class ExportOptions:
    """The options of ``cid export``; None leaves an option as the model's config has it.

    Args:
        max_people: rows of an image.
        min_score: people with lower scores of their roots are left out, in [0, 1].
        nms: of two people whose OKS lies above it only the better one stays; done outside the graph.
        flip: looks at the mirror image too.
        size: short side of the input in pixels, which goes into the file as its default.
        fixed_size: (w, h) of the input in pixels, multiples of 32; None leaves both free.
        batch: images at a time; None leaves it free.
        precision: of the backbone, 'float32', 'float16', 'bfloat16' or 'int8'.
        opset: of the ONNX graph.

    Raises:
        BadInput: a value is outside its range.
    """

    max_people: int | None = None
    min_score: float = 0.01
    nms: float | None = None
    flip: bool | None = None
    size: int | None = None
    fixed_size: tuple[int, int] | None = None
    batch: int | None = None
    precision: str = 'float32'
    opset: int = LEAST_OPSET

    def __post_init__(self) -> None:
        if self.fixed_size is not None:
            if self.size is not None:
                raise BadInput('size and a fixed size of the input exclude each other; give one of them')
            if any(side < MULTIPLE or side % MULTIPLE for side in self.fixed_size):
                width, height = self.fixed_size
                raise BadInput(f'fixed size {width}x{height}: both sides must be multiples of {MULTIPLE}')
        if self.batch is not None and (type(self.batch) is not int or self.batch < 1):
            raise BadInput(f'batch must be a whole number of at least 1, got {self.batch!r}')
        if not LEAST_OPSET <= self.opset <= MOST_OPSET:
            raise BadInput(
                f'opset {self.opset}: is from {LEAST_OPSET} to {MOST_OPSET}; older ones lack operators of the graph, '
                'and a model exported to them would be wrong'
            )
