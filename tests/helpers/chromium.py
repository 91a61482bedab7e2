"""A Chromium for tests of pages, driven by Playwright."""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
FLAGS = ('--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream')
# scripts for a page
NO_CAMERA = """() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'));
}"""
DROP = """([bytes, name, kind]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
    const event = kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true})
        : new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
    document.body.dispatchEvent(event);
}"""


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
