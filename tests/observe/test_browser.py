"""The status page as people meet it: in a real browser, with a keyboard, on a phone, at night, without scripts."""

import json
from collections.abc import Callable, Iterator

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from syncer.core.model import Health
from syncer.core.plan import ServicePlan
from tests.observe.browser import browser, prefer, resize
from tests.observe.busy import HOSTILE, Site, busy_site, hostile_site, large_site
from tests.observe.scene import ours, passed
from tests.support.wait import eventually

Serve = Callable[[Site], Site]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(scope="module")
def without_scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("chromium"), scripts=False) as driver:
        yield driver


@pytest.fixture
def page(chrome: Chrome) -> Chrome:
    """The browser as it was started: wide, by day, its log empty."""
    chrome.get("about:blank")
    resize(chrome, 1280, 900)
    prefer(chrome, "light")
    chrome.get_log("browser")  # type: ignore[no-untyped-call] # published without types
    return chrome


def complaints(driver: Chrome) -> list[str]:
    """Return what the browser logged: errors of scripts, refusals of the security policy."""
    return [entry["message"] for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call] # the same


def rows(driver: Chrome) -> list[str]:
    """Return the first DNS name of each row."""
    script = "return [...document.querySelectorAll('.main td:first-child > .copyable code')].map(it => it.textContent)"
    return [str(name) for name in driver.execute_script(script)]


def text(driver: Chrome, selector: str) -> str:
    """Return the text of the first match in one step: a refresh replaces what was found a moment before."""
    return str(
        driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)
    )


def copy(driver: Chrome, name: str) -> None:
    """Click the button that copies *name*."""

    def clicked() -> bool:
        try:
            driver.find_element(By.CSS_SELECTOR, f'button[data-copy="{name}"]').click()
        except StaleElementReferenceException:
            return False
        return True

    eventually(clicked, message="the button holds still")


def test_without_scripts_everything_can_be_read_and_searched(without_scripts: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    driver = without_scripts
    driver.get(site.address)
    assert "js" not in (driver.find_element(By.TAG_NAME, "html").get_attribute("class") or "")
    body = driver.find_element(By.TAG_NAME, "body").text
    for wanted in ("web.service.consul", "web.corp.internal", "10.0.0.10:8080", "14 of 14 would be removed"):
        assert wanted in body
    assert not any(button.is_displayed() for button in driver.find_elements(By.CSS_SELECTOR, "button.copy"))
    driver.find_element(By.NAME, "q").send_keys("orders", Keys.ENTER)
    eventually(lambda: rows(driver) == ["orders.corp.internal"], 60, "the search is answered")
    assert "q=orders" in driver.current_url
    driver.find_element(By.LINK_TEXT, "Clear").click()
    eventually(lambda: len(rows(driver)) == 9, 60, "all is shown again")
    driver.find_element(By.CSS_SELECTOR, ".main details summary").click()
    assert driver.find_element(By.CSS_SELECTOR, ".main details .instances").is_displayed()


def test_without_scripts_thousands_of_services_can_be_turned_over(
    without_scripts: Chrome, serve: Serve
) -> None:
    site = serve(large_site(300))
    driver = without_scripts
    driver.get(site.address)
    first = rows(driver)
    assert len(first) == 50
    driver.find_element(By.LINK_TEXT, "Next").click()
    eventually(lambda: "Page 2 of 12" in text(driver, ".pages"), 60, "page 2 comes")
    assert not set(first) & set(rows(driver))


def test_what_a_registry_says_is_shown_as_text(page: Chrome, serve: Serve) -> None:
    site = serve(hostile_site())
    page.get(site.address)
    page.execute_script("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    assert text(page, "body").count(HOSTILE) >= 12
    assert page.execute_script("return document.querySelectorAll('main img, main script').length") == 0
    assert complaints(page) == []


def test_what_a_registry_says_is_still_text_after_a_refresh(page: Chrome, serve: Serve) -> None:
    site = serve(hostile_site())
    page.get(site.address)
    page.find_element(By.NAME, "q").send_keys('"><script>alert(9)</script>')
    eventually(lambda: "%3Cscript" in page.current_url, 60, "the search is asked")
    page.find_element(By.NAME, "q").clear()
    page.find_element(By.NAME, "q").send_keys("img")
    eventually(lambda: text(page, "#found").endswith("of 1"), 60, "the search is answered")
    assert page.execute_script("return document.querySelectorAll('main img, main script').length") == 0
    assert complaints(page) == []


def test_nothing_is_asked_of_anybody_else(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.get(site.address)
    page.find_element(By.NAME, "q").send_keys("web")
    eventually(lambda: rows(page) == ["web.service.consul"], 60, "the search is answered")
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {"page.css", "page.js"} <= {address.removeprefix(site.address).split("?")[0] for address in asked}
    assert [address for address in asked if not address.startswith(site.address)] == []
    assert complaints(page) == []


def test_the_policy_keeps_the_page_from_asking_elsewhere(page: Chrome, serve: Serve) -> None:
    page.get(serve(busy_site()).address)
    script = "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), e => done(String(e)))"
    assert "TypeError" in page.execute_async_script(script)
    assert any("Content Security Policy" in message for message in complaints(page))


def test_a_name_is_copied_by_its_button(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": site.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.get(site.address)
    copy(page, "web.corp.internal")
    eventually(
        lambda: (
            page.find_element(By.ID, "announce").get_attribute("textContent") == "Copied web.corp.internal"
        ),
        60,
        "the reader is told",
    )
    read = "navigator.clipboard.readText().then(arguments[0], e => arguments[0](String(e)))"
    assert page.execute_async_script(read) == "web.corp.internal"


def test_a_name_is_copied_where_the_browser_gives_scripts_no_clipboard(page: Chrome, serve: Serve) -> None:
    # As over plain HTTP from another machine: navigator.clipboard is not there.
    site = serve(busy_site())
    page.get(site.address)
    page.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    copy(page, "api.service.consul")
    said = page.find_element(By.ID, "announce")
    eventually(
        lambda: said.get_attribute("textContent") == "Copied api.service.consul", 60, "the reader is told"
    )
    field = page.find_element(By.NAME, "q")
    field.send_keys(Keys.CONTROL, "v")
    eventually(lambda: field.get_attribute("value") == "api.service.consul", 60, "it can be pasted")


FOCUSED = """
const it = document.activeElement;
return [it.tagName, it.dataset.copy || it.getAttribute("name") || it.id || it.innerText.trim(),
        getComputedStyle(it).outlineStyle];
"""


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.get(site.address)
    seen: list[str] = []
    for _ in range(200):
        ActionChains(page).send_keys(Keys.TAB).perform()
        here, name, outline = page.execute_script(FOCUSED)
        if here == "BODY":
            break
        seen.append(name)
        assert outline != "none", f"no outline on {seen[-1]}"
    assert seen[0] == "Skip to the services"
    for wanted in ("pause", "q", "route", "health", "Show", "web.service.consul", "web.corp.internal"):
        assert wanted in seen
    assert seen.index("q") < seen.index("api.service.consul")


def test_the_first_key_skips_to_the_services(page: Chrome, serve: Serve) -> None:
    page.get(serve(busy_site()).address)
    ActionChains(page).send_keys(Keys.TAB, Keys.ENTER).perform()
    assert page.current_url.endswith("#services")
    assert page.switch_to.active_element.get_attribute("id") == "services"


def test_details_open_by_the_keyboard_and_stay_open_and_focused_over_a_refresh(
    page: Chrome, serve: Serve
) -> None:
    site = serve(busy_site())
    page.get(site.address)
    summary = '[data-key="summary|consul->corp.internal|web"]'
    page.execute_script("document.querySelector(arguments[0]).focus()", summary)
    ActionChains(page).send_keys(Keys.ENTER).perform()
    site.scene.carry("web", ours("web", "web-0", "10.77.0.1", port=8080))
    eventually(lambda: "10.77.0.1:8080" in text(page, "main"), 60, "the page refreshes")
    opened = "return document.querySelector(arguments[0]).open"
    assert page.execute_script(opened, '[data-key="row|consul->corp.internal|web"]') is True
    assert page.execute_script("return document.activeElement.matches(arguments[0])", summary)


def test_it_keeps_up_by_itself_and_can_be_paused(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.get(site.address)
    assert page.title.startswith("Needs attention")
    site.scene.carry("newborn", ours("newborn", "n-1", "10.88.0.1"))
    eventually(lambda: "newborn.service.consul" in rows(page), 60, "a new service shows")
    page.find_element(By.ID, "pause").click()
    assert page.find_element(By.ID, "pause").get_attribute("aria-pressed") == "true"
    eventually(lambda: "Paused" in text(page, "#freshness"), 60, "it says so")
    site.scene.carry("later", ours("later", "l-1", "10.88.0.2"))
    page.find_element(By.ID, "pause").click()
    eventually(lambda: "later.service.consul" in rows(page), 60, "it goes on at once")


def test_a_server_that_went_away_is_said_to_be_away(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.get(site.address)
    site.server.stop()
    eventually(lambda: "No answer for" in text(page, "#freshness"), 60, "the page says so")
    assert "web.service.consul" in rows(page)


def test_searching_while_typing_narrows_the_page_and_its_address(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    page.get(site.address)
    field = page.find_element(By.NAME, "q")
    field.send_keys("orders")
    eventually(lambda: rows(page) == ["orders.corp.internal"], 60, "the rows follow")
    assert page.current_url.endswith("?q=orders")
    assert page.switch_to.active_element == field
    page.find_element(By.CSS_SELECTOR, 'option[value="consul->corp.internal"]').click()
    eventually(lambda: rows(page) == [], 60, "the filter counts, too")
    assert "Nothing is found" in text(page, "#found")


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("site", [busy_site, hostile_site], ids=["busy", "hostile"])
def test_no_width_needs_a_sideways_scroll(
    page: Chrome, serve: Serve, width: int, site: Callable[[], Site]
) -> None:
    started = serve(site())
    resize(page, width, 800)
    page.get(started.address)
    page.execute_script("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    overflowing = page.execute_script(
        "return [...document.querySelectorAll('main *')].filter(it => it.getBoundingClientRect().right >"
        " document.documentElement.clientWidth + 1 && !it.closest('thead')).map(it => it.outerHTML)"
    )
    assert overflowing == []


def test_on_a_phone_each_value_keeps_its_label(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    resize(page, 375, 800)
    page.get(site.address)
    label = page.execute_script(
        "return getComputedStyle(document.querySelector('.main td:nth-child(2)'), '::before').content"
    )
    assert label == '"Found as"'


def _luminance(colour: str) -> float:
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """
return [...document.querySelectorAll(arguments[0])].filter(it => it.checkVisibility()).map(it => {
  let ground = it;
  while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
  return [it.textContent, getComputedStyle(it).color, getComputedStyle(ground).backgroundColor];
});
"""


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_by_day_and_by_night_all_text_can_be_read(
    page: Chrome, serve: Serve, scheme: str, dark: bool
) -> None:
    site = serve(busy_site())
    prefer(page, scheme)
    page.get(site.address)
    ground = (
        page.find_element(By.TAG_NAME, "body")
        .value_of_css_property("background-color")
        .replace("rgba", "rgb")
    )
    assert (_luminance(ground) < 0.2) is dark
    for selector in (
        "h2",
        ".quiet",
        ".health",
        ".state",
        ".tiles b",
        ".tiles a",
        "a",
        "summary",
        "td code",
        "th",
        "dt",
    ):
        found = page.execute_script(COLOURS, selector)
        assert found, selector
        for words, colour, behind in found:
            assert _contrast(colour, behind) >= 4.5, (scheme, selector, words, colour, behind)


def test_the_page_and_its_data_say_the_same(page: Chrome, serve: Serve) -> None:
    site = serve(busy_site())
    site.scene.carry("mixed", ours("mixed", "a"), ours("mixed", "b", health=Health.CRITICAL))
    site.store.passed(passed(ServicePlan("mixed", "mixed", owned=2), owned=99))
    page.get(site.address + "status.json")
    data = json.loads(page.find_element(By.TAG_NAME, "pre").text)
    page.get(site.address)
    assert rows(page) == [item["source"]["dns"] for item in data["services"]["items"]]
    shown = page.execute_script("return [...document.querySelectorAll('.tiles b')].map(it => it.innerText)")
    assert shown == [str(count) for count in data["summary"].values()]
