"""A model of random weights whose people have different scores, and images as a browser sends them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.web.actions import Actions
from cid_mmpose.web.candidates import Sliders, keep_candidates
from cid_mmpose.web.sessions import Session
from tests.helpers.work_folder import write_work_folder

START = Sliders(0.3, 0.8)


@pytest.fixture(scope='session')
def work_folder(tmp_path_factory) -> Path:
    """With a network that finds 30 people with scores from 0.35 to 0.4."""
    return write_work_folder(tmp_path_factory.mktemp('web'), spread=1.2)


@pytest.fixture(scope='session')
def predictor(work_folder) -> Predictor:
    """After ``keep_candidates``."""
    model = cid_mmpose.load(work_folder, device='cpu')
    keep_candidates(model)
    return model


@pytest.fixture
def actions(predictor) -> Actions:
    return Actions(predictor)


@pytest.fixture
def session() -> Session:
    return Session(START)


@pytest.fixture(scope='session')
def image() -> np.ndarray:
    """Smooth noise, (120, 160, 3) uint8 BGR."""
    rough = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(rough, (160, 120), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope='session')
def upload(image) -> dict:
    """What the page sends of the image."""
    data = cv2.imencode('.png', image)[1].tobytes()
    return dict(name='noise.png', size=len(data), data=base64.b64encode(data).decode())
