"""Measuring a page that has come in whole: one that is still without its style sheet is wider."""

from playwright.sync_api import Page


def overhang_px(page: Page) -> int:
    """How far the page hangs out of its window to the right; 0 where it fits."""
    page.wait_for_load_state("load")
    size = page.viewport_size  # not innerWidth: a phone's grows with what hangs out
    assert size is not None
    return int(page.evaluate("document.documentElement.scrollWidth")) - size["width"]
