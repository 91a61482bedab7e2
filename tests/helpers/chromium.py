"""A Chromium for tests of pages, driven by Playwright."""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
FLAGS = ('--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream')


def launch_chromium(driver, *flags: str):
    """The browser; skips the tests where there is none.

    Args:
        driver: of Playwright.
        *flags: of the command line, besides those for a camera that is made up.
    """
    found = [os.environ.get('CHROMIUM'), *map(shutil.which, NAMES), driver.chromium.executable_path]
    path = next((path for path in found if path and Path(path).is_file()), None)
    if path is None:
        pytest.skip('there is no Chromium: install it, or name one by CHROMIUM=/path/to/it')
    return driver.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
