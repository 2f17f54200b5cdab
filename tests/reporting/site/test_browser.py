"""The pages in a real browser, from disk: headless Chromium, driven by playwright."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
]  # fmt: skip
SLOW = 240_000  # ms: shaders are compiled in software, on whatever machine this is
PHONE, DESKTOP = (375, 740), (1280, 900)


@pytest.fixture(scope="module")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"no Chromium at {CHROMIUM}: install it or set $CHROMIUM")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Open a page from disk; whatever the console or the network complains of fails the test."""
    complaints, contexts = [], []

    def opened(path: Path, size=DESKTOP, scheme="light", scripts=True):
        context = chromium.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)),
            color_scheme=scheme, java_script_enabled=scripts, offline=True,
        )  # fmt: skip
        context.set_default_timeout(SLOW)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in
                ("error", "warning") and "GPU stall" not in said.text else None)  # fmt: skip
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url[:120]))
        page.goto(path.resolve().as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def column(page, table, title):
    """The texts of a column, of the rows that are shown."""
    return page.evaluate(
        """([id, title]) => {
            const table = document.getElementById(id);
            const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
            const place = heads.findIndex((head) => head.textContent.trim() === title);
            return [...table.tBodies[0].rows].filter((row) => !row.hidden)
                .map((row) => row.cells[place].textContent.trim());
        }""",
        [table, title],
    )


def head(page, title):
    return page.locator("#leaderboard-dice thead th", has_text=title).first


def test_a_click_sorts_and_another_turns_the_order(look, site):
    page = look(site / "all.html")
    button = head(page, "Dice [95%]").get_by_role("button")
    button.click()
    down = [float(text.split()[0]) for text in column(page, "leaderboard-dice", "Dice [95%]")]
    assert down == sorted(down, reverse=True), "the best comes first"
    assert len(set(down)) > 3
    assert head(page, "Dice [95%]").get_attribute("aria-sort") == "descending"
    button.click()
    up = [float(text.split()[0]) for text in column(page, "leaderboard-dice", "Dice [95%]")]
    assert up == down[::-1]
    head(page, "arm").get_by_role("button").click()
    assert page.locator("#leaderboard-dice th[aria-sort]").count() == 1
    arms = column(page, "leaderboard-dice", "arm")
    assert arms == sorted(arms)


def test_what_is_undefined_stays_below(look, site):
    page = look(site / "all.html")
    for _ in range(2):
        head(page, "arm − twin").get_by_role("button").click()
        shown = column(page, "leaderboard-dice", "arm − twin [95%, all rows]")
        assert shown[-3:] == ["–"] * 3
        assert "–" not in shown[:3]


def test_the_keyboard_alone_sorts_and_filters(look, site):
    page = look(site / "all.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "task":
            break
    page.keyboard.press("o")  # a list jumps to what is typed
    assert set(column(page, "leaderboard-dice", "task")) == {"openkbp"}
    head(page, "arm").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head(page, "arm").get_attribute("aria-sort") == "ascending"
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_filters_leave_what_they_say(look, site):
    page = look(site / "all.html")
    rows = page.locator("#leaderboard-dice tbody tr:visible")
    assert rows.count() == 6
    assert not page.locator("#nothing").is_visible()
    page.locator("#filters [name=strategy]").select_option("=scratch")
    assert set(column(page, "leaderboard-dice", "strategy")) == {"scratch"}
    page.locator("#filters [name=fraction]").select_option("=100%")
    assert rows.count() == 1
    assert page.locator("#count").inner_text() == "1 of 6 rows"
    page.get_by_role("button", name="Show all").click()
    page.locator("#count", has_text="6 of 6 rows").wait_for()
    page.locator("#filters [name=text]").fill("masked better")
    assert set(column(page, "leaderboard-dice", "verdict")) == {"better"}
    page.locator("#filters [name=text]").fill("")
    page.locator("#filters [name=contamination]").select_option("~overlaps")
    assert rows.count() == 0
    assert page.locator("#nothing").is_visible()
    page.locator("#filters [name=contamination]").select_option("=unknown")
    assert rows.count() == 6


def test_filters_are_in_the_address_and_hold_after_going_back(look, site):
    page = look(site / "all.html")
    rows = page.locator("#leaderboard-dice tbody tr:visible")
    page.locator("#filters [name=strategy]").select_option("=scratch")
    assert "strategy=" in page.url
    kept = rows.count()
    with page.expect_navigation():
        rows.locator("a").first.click()
    page.go_back()
    page.locator("#count", has_text="3 of").wait_for()
    assert rows.count() == kept == 3
    assert page.locator("#filters [name=strategy]").input_value() == "=scratch"


def test_the_front_page_switches_fraction_and_metric(look, site):
    page = look(site / "index.html")
    answer = page.locator(".panel:visible .answer")
    assert answer.count() == 1
    first = answer.inner_text()
    assert "3 labelled patients" in first
    page.locator("label", has_text="all patients").click()
    assert answer.inner_text() != first
    assert page.url.endswith("#at=all%20patients")
    page.locator(".metrics a", has_text="HD95").click()
    page.wait_for_url("**/hd95_mm.html*")
    assert "all patients" in answer.inner_text()
    page.keyboard.press("Tab")
    for _ in range(12):
        if page.evaluate("document.activeElement.name") == "fraction":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert "3 labelled patients" in answer.inner_text()


def test_on_a_phone_the_verdict_and_effect_come_first(look, site):
    page = look(site / "index.html", PHONE)
    cell = page.locator(".panel:visible td.v").first
    box = cell.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE[0]
    assert cell.inner_text().lstrip().startswith(("▲", "≈", "?", "▼", "△", "▽"))


@pytest.mark.parametrize("name", ["index.html", "all.html", "tasks", "results", "baselines"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(look, site, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    path = site / name
    page = look(path if path.is_file() else next(path.glob("*.html")), scheme=scheme)
    found = axe.Axe().run(page, options={"preload": False}).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen_and_text_can_be_read(look, site, size, scheme):
    others = [next((site / kind).glob("*.html")) for kind in ("tasks", "baselines", "results")]
    kinds = ["index.html", "all.html", *(path.relative_to(site).as_posix() for path in others)]
    for path in kinds:
        page = look(site / path, size, scheme)
        width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner, path
        for name in ("body", "a[href]", "table", "thead th"):
            assert contrast(page, name) >= 4.5, (path, name)


def contrast(page, selector) -> float:
    """The ratio of WCAG 2 between an element's text and what lies behind it."""
    ink, paper = page.evaluate(
        """(selector) => {
            const element = document.querySelector(selector);
            const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
            let behind = element;
            const clear = (one) => numbers(getComputedStyle(one).backgroundColor)[3] === 0;
            while (clear(behind)) behind = behind.parentElement;
            return [numbers(getComputedStyle(element).color),
                    numbers(getComputedStyle(behind).backgroundColor)];
        }""",
        selector,
    )
    one, other = sorted((luminance(colour[:3]) for colour in (ink, paper)), reverse=True)
    return (one + 0.05) / (other + 0.05)


def luminance(colour) -> float:
    part = np.array(colour) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_without_scripts_there_are_plain_tables_and_a_still(look, site):
    page = look(site / "all.html", scripts=False)
    assert page.locator("#leaderboard-dice tbody tr").count() == 6
    assert not page.locator("#filters").is_visible()
    assert page.locator("thead button").count() == 0
    case = look(next((site / "cases").glob("*.html")), scripts=False)
    assert case.locator(".still img").is_visible()
    assert not case.locator("#viewer").is_visible()


def test_on_paper_there_are_no_controls(look, site):
    page = look(site / "all.html")
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.locator("#leaderboard-dice tbody tr").first.is_visible()


@pytest.mark.parametrize("name", ["index.html", "all.html"])
def test_paper_of_a4_holds_all_columns(look, site, name):
    page = look(site / name, (1047, 740))  # A4 across without its margins, in CSS pixels
    page.emulate_media(media="print")
    for table in page.locator("table:visible").all():
        box = table.bounding_box()
        assert box["x"] + box["width"] <= 1047
    if name == "index.html":  # the fraction that was chosen, and which it is
        assert page.locator(".panel:visible .printed").count() == 1


def test_paper_is_no_phone(look, site):
    """A browser asks a page for its layout at the width of a sheet that stands upright."""
    page = look(site / "index.html", (700, 1000))
    page.emulate_media(media="print")
    assert page.locator(".matrix:visible").first.evaluate("e => getComputedStyle(e).display") == (
        "table"
    )


def counted(page) -> dict[str, int]:
    """Pixels of the viewer: greys of the image, and the colours of the two overlays."""
    import io

    from matplotlib.image import imread

    shot = (255 * imread(io.BytesIO(page.locator("#canvas").screenshot()))[..., :3]).astype(int)
    red, green, blue = np.moveaxis(shot, 2, 0)
    flat = (abs(red - green) < 4) & (abs(green - blue) < 4)
    return {
        "grey": int((flat & (red > 30) & (red < 250)).sum()),
        "reference": int(((green > red + 40) & (green > blue + 15)).sum()),
        "prediction": int(((red > green + 40) & (red > blue + 60)).sum()),
    }


def test_the_viewer_draws_image_reference_and_prediction(look, site):
    worst = next(
        path for path in sorted((site / "cases").glob("*.html")) if "The worst case" in
        path.read_text()
    )  # fmt: skip
    page = look(worst)
    page.wait_for_selector("html[data-viewer=drawn]")
    page.locator("#view [name=opacity]").fill("1")
    apply_policy(page)
    both = counted(page)
    assert both["grey"] > 5000
    assert both["reference"] > 300
    assert both["prediction"] > 300
    page.locator("#view [name=prediction]").uncheck()
    apply_policy(page)
    alone = counted(page)
    assert alone["prediction"] < 50
    assert alone["reference"] > both["reference"]
    page.locator("#view [name=reference]").uncheck()
    apply_policy(page)
    bare = counted(page)
    assert bare["reference"] < 50
    assert bare["grey"] > both["grey"]
    page.locator("#view [name=reference]").check()
    page.locator("#view [name=class]").select_option("2")
    apply_policy(page)
    assert counted(page)["reference"] < alone["reference"]


def apply_policy(page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")


def test_a_case_fits_a_phone(look, site):
    page = look(next((site / "cases").glob("*.html")), PHONE, "dark")
    width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner
