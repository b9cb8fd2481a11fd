"""The page needs nothing from elsewhere, and text from outside cannot become markup."""

import re

import numpy as np

from keras_gait.evaluation import report


def test_a_page_holds_its_pictures_and_links_to_nothing(tmp_path):
    path = tmp_path / "new" / "page.html"
    report.write_report(path, "Title", "lead", [("Picture", report.picture(b"png", "what it shows"))])
    page = path.read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,cG5n"' in page
    assert page.count("what it shows") == 2  # for eyes and for screen readers
    assert not re.search(r"https?://|<script|<link", page)
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_names_from_files_are_escaped(tmp_path):
    path = tmp_path / "page.html"
    cells = report.table(["<b>"], [("<i>", [0.5])]) + report.settings({"model": "<u>"})
    report.write_report(path, "<h>", "<l>", [("<s>", cells)], note="<n>")
    page = path.read_text(encoding="utf-8")
    assert not re.search("<[biuhlsn]>", page)


def test_a_table_is_in_percent_with_a_dash_for_the_unknown():
    cells = re.findall("<td>(.*?)</td>", report.table(["000", "mean"], [("NM", [0.123, np.nan])]))
    assert cells == ["12.3", "–"]
