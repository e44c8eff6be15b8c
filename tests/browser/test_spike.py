"""Last night's spike: seen on the chart, zoomed into, its lines read; and the way back, and there again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import WORST_ADDRESS
from tests.browser.test_charts import window
from tests.browser.test_filter_fields import lines_are
from tests.browser.test_numbers import seen
from tests.browser.watched import Watched

# Where in a chart something is drawn highest above the axis: pixels from the left edge of its picture.
HIGHEST = """canvas => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const rows = Array.from({ length: height }, (_, y) => y);
    const drawn = (x) => rows.filter(y => data[(y * width + x) * 4 + 3] > 99).length;
    // (Left of them are the numbers of the axis.)
    const columns = Array.from({ length: width }, (_, x) => (x < 60 ? 0 : drawn(x)));
    return (columns.indexOf(Math.max(...columns)) + 0.5) * canvas.clientWidth / width;
}"""


def test_last_nights_spike_is_found_on_the_chart_and_its_lines_are_read(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    page.get_by_role("list", name="Classes of status").get_by_role("link", name=re.compile("^5xx")).click()
    expect(page.locator('tbody[aria-label="Statuses"] .key')).to_have_count(2)
    filtered = page.url
    zoom_into_the_highest(page, page.locator(".plot").first)
    expect(page).to_have_url(re.compile("from="))
    zoomed = page.url

    start, end = map(datetime.fromisoformat, window(page))
    assert end - start < timedelta(hours=2)
    errors = [line for line in site.lines if start <= line.at < end and line.status >= 500]
    assert sum(line.ip == WORST_ADDRESS for line in errors) == 240
    lines_are(page, len(errors))
    assert {(status, method, path, ip) for _, _, status, method, path, ip, _ in seen(page)} == {
        ("503", "POST", "/checkout", WORST_ADDRESS)
    }

    page.go_back()
    expect(page).to_have_url(filtered)
    lines_are(page, sum(line.status >= 500 for line in site.lines))
    page.go_back()
    lines_are(page, sum(line.kept for line in site.lines))
    page.go_forward()
    page.go_forward()
    expect(page).to_have_url(zoomed)
    expect(page.locator(".chip")).to_have_text(re.compile("status is 5xx"))
    lines_are(page, len(errors))


def zoom_into_the_highest(page: Page, chart: Locator) -> None:
    """Points at the highest bar of a chart, reads how much it stands for, and drags over it."""
    canvas = chart.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + canvas.evaluate(HIGHEST), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    expect(chart.locator(".tip")).to_contain_text(re.compile(r"5xx[12]?\d\d \("))
    page.mouse.move(x - 12, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=5)
    page.mouse.up()
