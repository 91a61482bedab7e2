"""Mixed precision: where half precision is used, and that every config's optim wrapper can be built."""

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import OPTIM_WRAPPERS

from cid_mmpose import config_path
from cid_mmpose.compat import precision
from cid_mmpose.compat.precision import cpu_has, cpu_has_avx512, or_float32
from cid_mmpose.engine.launch import set_amp
from cid_mmpose.engine.optim import BFloat16OptimWrapper

CONFIGS = [
    'cid_hrnet-w16-small_synthcrowd.py',
    'overfit/cid_hrnet-w16-small_coco-mini.py',
    'overfit/mmpose-cid_hrnet-w16-small_coco-mini.py',
    'cid_hrnet-w32_coco.py',
]
CPU = torch.device('cpu')


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """A call that takes a CPU with these flags for the machine's; nothing in the environment limits it at first."""
    for name in (*precision.LIMITS, 'ATEN_CPU_CAPABILITY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(precision, 'CPU_INFO', tmp_path / 'cpuinfo')

    def take(flags):
        (tmp_path / 'cpuinfo').write_text(f'flags : fpu {flags} sse\n')
        cpu_has.cache_clear()
        cpu_has_avx512.cache_clear()

    remembered = (cpu_has, cpu_has_avx512, precision.say_float32_is_taken)
    for function in remembered:
        function.cache_clear()
    yield take
    for function in remembered:
        function.cache_clear()


@pytest.mark.parametrize(
    'flags, bfloat16, float16',
    [
        ('avx512f avx512_bf16', True, False),
        ('amx_bf16', True, False),
        ('asimd bf16', True, False),
        ('avx512f avx512_vnni', False, False),
        ('asimdhp asimd', False, True),
        ('avx512_bf16 avx512_fp16', True, True),
    ],
)
def test_a_cpu_is_asked_for_its_own_half_precision(cpu, flags, bfloat16, float16):
    cpu(flags)
    assert (cpu_has(torch.bfloat16), cpu_has(torch.float16)) == (bfloat16, float16)


@pytest.mark.parametrize(
    'name, value, has',
    [
        ('ONEDNN_MAX_CPU_ISA', 'AVX2', False),
        ('ONEDNN_MAX_CPU_ISA', 'avx512_core_vnni', False),
        ('DNNL_MAX_CPU_ISA', 'AVX2', False),
        ('ONEDNN_MAX_CPU_ISA', 'AVX512_CORE_BF16', True),
        ('ONEDNN_MAX_CPU_ISA', 'ALL', True),
    ],
)
def test_a_limit_on_onednn_s_instructions_counts(cpu, monkeypatch, name, value, has):
    cpu('avx512_bf16')
    monkeypatch.setenv(name, value)
    assert cpu_has(torch.bfloat16) == has


@pytest.mark.parametrize(
    'flags, limit, has',
    [
        ('avx2 avx512f', 'ALL', True),
        ('avx2 avx512f', 'AVX512_CORE', True),
        ('avx2 avx512f', 'avx2', False),
        ('avx2 avx512f', 'AVX2_VNNI_2', False),
        ('avx2', 'ALL', False),
    ],
)
def test_avx512_is_there_unless_the_cpu_or_a_limit_is_without(cpu, monkeypatch, flags, limit, has):
    cpu(flags)
    monkeypatch.setenv('ONEDNN_MAX_CPU_ISA', limit)
    assert cpu_has_avx512() == has


@pytest.mark.parametrize('capability, has', [('AVX2', False), ('DEFAULT', False), ('AVX512', True)])
def test_a_limit_on_pytorch_s_instructions_counts(cpu, monkeypatch, capability, has):
    cpu('avx512_bf16')
    monkeypatch.setenv('ATEN_CPU_CAPABILITY', capability.lower())  # read by torch when it starts
    monkeypatch.setattr(precision, 'cpu_capability', lambda: capability)
    assert cpu_has(torch.bfloat16) == has


def test_torch_names_the_instructions_that_it_uses():
    assert precision.cpu_capability() in torch.__config__.show()


@pytest.mark.parametrize('seconds, has', [(0.5, True), (7.0, False)])
def test_where_the_system_lists_no_instructions_a_convolution_is_timed(cpu, monkeypatch, seconds, has):
    times = {torch.float32: 1.0, torch.bfloat16: seconds}
    monkeypatch.setattr(precision, 'seconds_of_convolution', times.get)
    assert cpu_has(torch.bfloat16) == has


def test_a_convolution_takes_some_time_in_either_precision():
    assert precision.seconds_of_convolution(torch.float32, 1) > 0
    assert precision.seconds_of_convolution(torch.bfloat16, 1) > 0


def test_an_imitated_precision_is_replaced_and_that_is_said_once(cpu, monkeypatch):
    cpu('avx2')
    said = []
    monkeypatch.setattr(precision, 'say', said.append)
    taken = [or_float32(torch.bfloat16, CPU, 'optim_wrapper') for _ in range(3)]
    assert taken == 3 * [torch.float32]
    assert len(said) == 1 and 'no bfloat16 of its own' in said[0] and 'optim_wrapper.insist=True' in said[0]
    assert or_float32(torch.bfloat16, CPU, 'optim_wrapper', insist=True) is torch.bfloat16
    assert or_float32(torch.bfloat16, torch.device('cuda'), 'optim_wrapper') is torch.bfloat16
    assert [or_float32(kind, CPU, 'optim_wrapper') for kind in (None, torch.float32)] == [None, torch.float32]


@pytest.mark.parametrize(
    'flags, insist, dtype',
    [('avx512_bf16', False, torch.bfloat16), ('avx512f', False, torch.float32), ('avx512f', True, torch.bfloat16)],
)
def test_the_forward_pass_is_in_bfloat16_unless_that_is_imitated(cpu, flags, insist, dtype):
    cpu(flags)
    model = torch.nn.Linear(2, 2)
    wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(model.parameters(), 0.1), insist=insist)
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 2)).dtype == dtype


def build(cfg):
    wrapper = dict(cfg.optim_wrapper)
    wrapper.pop('paramwise_cfg', None)  # mmengine takes it out before it builds the wrapper
    wrapper['optimizer'] = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), 0.1)
    return OPTIM_WRAPPERS.build(wrapper)


@pytest.mark.parametrize('config', CONFIGS)
def test_the_optim_wrapper_of_a_config_builds_also_with_amp(config):
    cfg = Config.fromfile(config_path(config))
    assert type(build(cfg)).__name__ == cfg.optim_wrapper.get('type', 'OptimWrapper').rpartition('.')[2]
    cfg.optim_wrapper.insist = True
    set_amp(cfg, 'bf16')
    assert isinstance(build(cfg), BFloat16OptimWrapper) and build(cfg).insist


def test_amp_fp16_takes_no_option_of_bfloat16_along(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    cfg = Config.fromfile(config_path(CONFIGS[0]))
    cfg.optim_wrapper.insist = True
    set_amp(cfg, 'fp16')
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper' and 'insist' not in cfg.optim_wrapper
