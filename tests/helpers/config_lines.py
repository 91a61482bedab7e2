"""The one line that a mistake in a config gets."""

from cid_mmpose.engine import launch
from cid_mmpose.engine.config.check import check_config
from cid_mmpose.engine.config.errors import of_config
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT

CONFIG = str(ROOT / 'configs' / 'cid_hrnet-w32_coco.py')


def line_of(words: str, config: str = CONFIG) -> str | None:
    """The one line with which a training is refused; None if it is not."""
    try:
        cfg = launch.load_config(config, cfg_options=launch.read_options(words.split()))
        with of_config(config):
            check_config(cfg, 'train')
    except BadInput as error:
        return str(error)
    return None


def derived(tmp_path, text: str) -> str:
    """A config that starts from ``CONFIG`` and goes on with this text."""
    own = tmp_path / 'own.py'
    own.write_text(f"_base_ = '{CONFIG}'\n{text}\n")
    return str(own)
