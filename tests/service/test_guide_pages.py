"""Residents find a guide, tick off its materials, print it and take its forms, without scripts and without strangers."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core import clock
from knowledge_base import life
from tests.knowledge_base.samples import markdown
from tests.service.house import WORKDAY, open_house
from tests.service.test_api_guides import WHOLE, make


async def page(house, path, status=200, **options):
    response = await house.client.get(path, **options)
    assert response.status == status, await response.text()
    return await response.text()


class Addresses(HTMLParser):
    """Everything that a browser would load or go to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "script":
            self.scripts.append(found)
        if tag in ("img", "script", "iframe", "link", "source") and found.get("rel") != "canonical":
            self.loaded += [found[name] for name in ("src", "href") if found.get(name)]
        if tag == "a":
            self.links.append(found.get("href") or "")


def addresses(text):
    parser = Addresses()
    parser.feed(text)
    return parser


async def test_every_published_guide_is_in_the_catalogue_and_every_link_opens(guided):
    catalogue = addresses(await page(guided, "/guides"))
    guides = {link for link in catalogue.links if link.startswith("/guides/")}
    assert len(guides) == 25
    for link in sorted(guides):
        found = addresses(await page(guided, link))
        assert {"/guides", "/", "?print=1"} <= set(found.links)
    for link in {link for link in catalogue.links if link.startswith("/guides?")}:
        assert "/guides/" in await page(guided, link)


async def test_nothing_is_loaded_from_elsewhere_and_nothing_needs_a_script(guided):
    for path in ("/guides", "/guides/renovation", "/guides/renovation?print=1", "/guides?q=装修"):
        response = await guided.client.get(path)
        found = addresses(await response.text())
        assert all(link.startswith(("/static/", "data:")) for link in found.loaded), found.loaded
        assert all(script.get("type") == "application/ld+json" for script in found.scripts)
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "there", "absent"),
    [
        pytest.param("/guides?audience=老年人", "门禁卡", "装修申请", id="by audience"),
        pytest.param("/guides?life_event=房屋装修", "装修申请", "文明养犬", id="by life event"),
        pytest.param("/guides?q=装修押金", "装修申请", "还没有发布", id="by words"),
        pytest.param("/guides?q=遛狗", "文明养犬", "装修申请", id="by what residents say"),
        pytest.param("/guides?q=量子物理", "在线咨询", "装修申请", id="nothing found"),
        pytest.param("/guides?q=%3Cscript%3Ealert(1)%3C/script%3E", "在线咨询", "<script>alert", id="markup in the question"),
        pytest.param("/guides?audience=火星人", "在线咨询", "装修申请", id="an audience that is not there"),
    ],
)
async def test_the_catalogue_is_narrowed(guided, path, there, absent):
    async def loaded():
        return guided.runtime.knowledge.is_ready

    await guided.until(loaded)
    main = (await page(guided, path)).split("<main", 1)[1]
    assert there in main and absent not in main


async def test_a_guides_page_has_its_facts_a_checklist_and_its_questions(guided):
    text = await page(guided, "/guides/renovation")
    assert text.count('type="checkbox"') >= 4
    for part in ("收费标准", "承诺时限", "常见问题", "现在正在办公", "核对"):
        assert part in text, part
    assert "示例" in text and "|---|" not in text


async def test_the_large_type_is_kept_and_the_search_with_it(guided):
    text = await page(guided, "/guides?q=装修&large=1")
    assert 'class="large"' in text and "q=%E8%A3%85%E4%BF%AE&amp;large=0" in text
    assert 'class="large"' in await page(guided, "/guides/renovation")
    assert 'class="large"' not in await page(guided, "/guides/renovation?large=0")


async def test_a_sample_guides_forms_are_samples_and_an_offices_own_files_come_first(guided, tmp_path):
    text = await page(guided, "/guides/renovation")
    link = next(link for link in addresses(text).links if "/forms/" in link)
    response = await guided.client.get(link)
    body = await response.read()
    assert response.headers["Content-Disposition"].startswith("attachment") and response.headers["X-Content-Type-Options"]
    import docx

    words = "".join(each.text for each in docx.Document(io.BytesIO(body)).paragraphs)
    assert "示例空白表" in words
    folder = guided.runtime.settings.data_dir / "forms" / "property" / "renovation"
    folder.mkdir(parents=True)
    (folder / "装修申请表.pdf").write_bytes(b"%PDF-1.4 ours")
    (folder / "密码.txt").write_bytes(b"secret")
    (folder / "外面.pdf").symlink_to(Path("/etc/hostname"))
    links = [link for link in addresses(await page(guided, "/guides/renovation")).links if "/forms/" in link]
    assert len(links) == 1 and (await (await guided.client.get(links[0])).read()) == b"%PDF-1.4 ours"
    for name in ("密码.txt", "外面.pdf", "..%2F..%2Fhuiyin.db", "nothing.pdf"):
        assert (await guided.client.get(f"/guides/renovation/forms/{name}")).status == 404, name


async def test_an_offices_guide_without_files_offers_no_made_up_form(house):
    await make(house, fields=WHOLE["fields"] | {"forms": "《汗蒸房预约表》"})
    await house.post("/guides/sauna/publish", {}, "editor")
    assert not [link for link in addresses(await page(house, "/guides/sauna")).links if "/forms/" in link]


async def test_of_a_guide_that_is_over_the_page_says_when_and_where_to_ask(house):
    await make(house, valid_to="2026-12-01")
    await house.post("/guides/sauna/publish", {}, "editor")
    house.move_clock("2026-12-02T10:00:00+08:00")
    text = await page(house, "/guides/sauna")
    assert "2026-12-01" in text and "0571-5551 0001" in text and "每次20元" not in text and "noindex" in text
    assert "/guides/sauna" not in await page(house, "/guides")
    assert "/guides/sauna" not in await page(house, "/sitemap.xml")


async def test_a_guide_that_is_not_yet_in_force_is_not_there(house):
    await make(house, valid_from="2026-12-01")
    await house.post("/guides/sauna/publish", {}, "editor")
    await page(house, "/guides/sauna", 404)
    house.move_clock("2026-12-01T09:00:00+08:00")
    assert "每次20元" in await page(house, "/guides/sauna")


async def test_html_of_a_guide_is_text_on_its_page(house):
    from knowledge_base.importer import import_markdown

    text = markdown("sauna", "汗蒸房预约", preset="property", fee="<img src=x onerror=alert(1)>20元 [点](javascript:alert(1))")
    async with house.db.writing() as session:
        guide = import_markdown(text).guide
        row = await life.draft(session, guide, "chen", clock.now())
        row.state = "published"
    text = await page(house, "/guides/sauna")
    assert "20元" in text and "onerror" not in text and 'href="javascript' not in text


async def test_search_engines_find_the_guides_of_an_office_that_serves_residents(tmp_path, guided_database):
    url = "https://hui.example-office.cn"
    opened, close = await open_house(tmp_path, guided_database, web={"public_url": url})
    try:
        opened.move_clock(WORKDAY)
        robots = await page(opened, "/robots.txt")
        assert f"Sitemap: {url}/sitemap.xml" in robots and "Disallow: /staff/" in robots and "Disallow: /\n" not in robots
        places = re.findall(r"<loc>([^<]+)</loc>", await page(opened, "/sitemap.xml"))
        assert f"{url}/guides/renovation" in places and len(places) == 27
        text = await page(opened, "/guides/renovation?large=1")
        assert f'<link rel="canonical" href="{url}/guides/renovation">' in text
        assert '<meta name="description" content="' in text and "FAQPage" in text
    finally:
        await close()


async def test_an_office_on_trial_is_not_for_search_engines(guided):
    assert await page(guided, "/robots.txt") == "User-agent: *\nDisallow: /\n"
