"""What reference MJML makes of the pages of mjml_pages, seen by a browser: makes the kept file.

Needs Debian's Chromium and node, and `npm install mjml@5.4.1` in a folder named by HEED_MJML.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, Route, sync_playwright

from newsletter.content import mjml, mjml_source
from newsletter.content.liquid_tags import Tags
from newsletter.content.speech import Speech
from tests.newsletter.content.mjml_pages import PAGES

KEPT: Final = Path(__file__).with_name("mjml_reference.json")
COMMAND: Final = "HEED_MJML=folder python -m tests.newsletter.content.mjml_reference"
Boxes = list[list[str | int]]
"""What is shown, left, top, width, height."""
WIDTHS: Final = (600, 390)
_SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"></svg>'
_NODE: Final = """
const mjml = require(process.argv[1] + '/node_modules/mjml');
const { version } = require(process.argv[1] + '/node_modules/mjml/package.json');
(async () => {
  const pages = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const made = {};
  for (const [name, source] of Object.entries(pages))
    made[name] = (await mjml(source, { validationLevel: 'skip', fonts: {} })).html;
  console.log(JSON.stringify({ version, made }));
})();
"""
_BOXES: Final = """() => {
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
  const round = (rect) => [rect.left, rect.top, rect.width, rect.height].map(Math.round);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node.nodeType === 3) {
      const text = node.textContent.replace(/[\\s\\u00a0]+/g, ' ').trim();
      if (!text || ['STYLE', 'SCRIPT'].includes(node.parentElement.tagName)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const rect = range.getBoundingClientRect();
      if (rect.width) boxes.push([text, ...round(rect)]);
    } else if (node.tagName === 'IMG') {
      const rect = node.getBoundingClientRect();
      if (rect.width) boxes.push(['image ' + node.getAttribute('src'), ...round(rect)]);
    }
  }
  return boxes;
}"""


def made_here(source: str) -> str:
    """Return the page Heed makes of a source of MJML."""
    tags = Tags(source)
    root = mjml_source.read(tags.swap(source, field="body"), tags, within="", name="body")
    return mjml.page(root.children, tags, Speech(), source)


def boxes(pages: Mapping[str, str]) -> dict[str, dict[str, Boxes]]:
    """Return, for each page and width, what a browser shows where: words and pictures."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu", *root])
        page = browser.new_page()
        page.route("**/*", _answered)
        seen = {
            name: {str(width): _seen(page, html, width) for width in WIDTHS}
            for name, html in pages.items()
        }
        browser.close()
    return seen


def _answered(route: Route) -> None:
    route.fulfill(content_type="image/svg+xml", body=_SVG)


def _seen(page: Page, html: str, width: int) -> Boxes:
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(html, wait_until="load")
    shown: Boxes = page.evaluate(_BOXES)
    return shown


def _main() -> None:
    folder = os.environ["HEED_MJML"]
    answer = subprocess.run(
        ["node", "-e", _NODE, folder], input=json.dumps(PAGES).encode(), capture_output=True,
        check=True,
    )  # fmt: skip
    reference = json.loads(answer.stdout)
    kept = {
        "made by": f"mjml {reference['version']} (npm) with {COMMAND}",
        "boxes": boxes(reference["made"]),
    }
    KEPT.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    _main()
