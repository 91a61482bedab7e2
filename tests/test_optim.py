"""Mixed precision: where bfloat16 is used, and that every config's optim wrapper can be built."""
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import OPTIM_WRAPPERS

from cid_mmpose import config_path, optim
from cid_mmpose.apis.launch import set_amp
from cid_mmpose.optim import BFloat16OptimWrapper, cpu_has_bfloat16

CONFIGS = ['cid_hrnet-w16-small_synthcrowd.py', 'overfit/cid_hrnet-w16-small_coco-mini.py',
           'overfit/mmpose-cid_hrnet-w16-small_coco-mini.py', 'cid_hrnet-w32_coco.py']


def cpu(tmp_path, monkeypatch, flags):
    """Takes a CPU with these flags for the machine's."""
    (tmp_path / 'cpuinfo').write_text(f'flags : fpu {flags} sse\n')
    monkeypatch.setattr(optim, 'CPU_INFO', tmp_path / 'cpuinfo')


@pytest.mark.parametrize('flags, native', [
    ('avx512f avx512_bf16', True), ('amx_bf16', True), ('asimd bf16', True), ('avx512f avx512_vnni', False)])
def test_a_cpu_is_asked_for_its_own_bfloat16(tmp_path, monkeypatch, flags, native):
    cpu(tmp_path, monkeypatch, flags)
    assert cpu_has_bfloat16() == native
    monkeypatch.setattr(optim, 'CPU_INFO', tmp_path / 'gone')
    assert not cpu_has_bfloat16()


@pytest.mark.parametrize('flags, only_native, dtype', [
    ('avx512_bf16', True, torch.bfloat16), ('avx512f', True, torch.float32), ('avx512f', False, torch.bfloat16)])
def test_the_forward_pass_is_in_bfloat16_unless_that_is_imitated(tmp_path, monkeypatch, flags, only_native, dtype):
    cpu(tmp_path, monkeypatch, flags)
    model = torch.nn.Linear(2, 2)
    wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(model.parameters(), 0.1), only_native=only_native)
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 2)).dtype == dtype


def build(cfg):
    wrapper = dict(cfg.optim_wrapper)
    wrapper['optimizer'] = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), 0.1)
    return OPTIM_WRAPPERS.build(wrapper)


@pytest.mark.parametrize('config', CONFIGS)
def test_the_optim_wrapper_of_a_config_builds_also_with_amp(config):
    cfg = Config.fromfile(config_path(config))
    assert type(build(cfg)).__name__ == cfg.optim_wrapper.get('type', 'OptimWrapper').rpartition('.')[2]
    set_amp(cfg, 'bf16')
    assert isinstance(build(cfg), BFloat16OptimWrapper) and not build(cfg).imitated


def test_amp_fp16_takes_no_option_of_bfloat16_along(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    cfg = Config.fromfile(config_path(CONFIGS[0]))
    set_amp(cfg, 'fp16')
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper' and 'only_native' not in cfg.optim_wrapper
