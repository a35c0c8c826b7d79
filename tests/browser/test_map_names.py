"""Names of roads stand above the coloured segments, and only on our own background."""

from collections.abc import Callable

from playwright.sync_api import Page

OpenPage = Callable[..., Page]
NAMES = """() => {
  const layers = [];
  roadchiefMap.eachLayer((one) => { if (one.labelRules) layers.push(one); });
  const named = layers.filter((one) => one.labelRules.some((rule) => rule.dataLayer === "roads"));
  return named.map((one) => [
    one.views.size, one.labelRules.some((rule) => rule.dataLayer === "roads" && rule.visible)]);
}"""
TAKE = """(ground) => {
  roadchiefMap.getContainer().dataset.ground = ground;
  roadchiefMap.fire("ground");
}"""


def test_names_of_roads_lie_above_the_segments(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390, height=844)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(NAMES) == [[2, True]]  # the layer of the segments, with both its sources
    page.evaluate(TAKE, "tianditu")
    assert page.evaluate(NAMES) == [[2, False]]
    page.evaluate(TAKE, "own")
    assert page.evaluate(NAMES) == [[2, True]]
    page.evaluate("roadchiefMap.setZoom(18)")
    page.wait_for_load_state("networkidle")


def test_the_search_field_has_its_glass_and_round_corners(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390, height=844)
    style = page.get_by_role("searchbox").evaluate(
        "one => [getComputedStyle(one).backgroundImage.slice(0, 4), "
        "getComputedStyle(one).borderTopRightRadius]"
    )
    assert style[0] == "url("
    assert style[1] != "0px"
