"""A report as one HTML page that needs nothing else: style and pictures are inside."""

import base64
import html

import numpy as np

from keras_gait.files import write_whole

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #22303c }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
.lead { color: #5b6b79; margin-top: 0 }
.note { background: #fff4e0; border-left: 4px solid #e8a33d; padding: .5rem .8rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .65rem; text-align: right; border-bottom: 1px solid #e3e8ec }
thead th { border-bottom: 2px solid #9fb0bd } th:first-child { text-align: left }
table.mean td:last-child { font-weight: 600 }
table.settings th, table.settings td { text-align: left; font-weight: 400; overflow-wrap: anywhere }
table.settings th { color: #5b6b79; white-space: nowrap }
img { max-width: 100% }
figure { margin: 0 } figcaption { color: #5b6b79; font-size: .9rem }
"""


def write_report(path, title, lead, sections, note=None):
    """Write the page to ``path``, whole or not at all.

    Args:
        title: heading. ``lead``: the line below it. ``note``: a remark that must not be overlooked.
        sections: list of (heading, content), content made by `table`, `settings` or `picture`.
    """
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>']
    if note:
        parts.append(f'<p class="note">{html.escape(note)}</p>')
    for heading, content in sections:
        parts.append(f"<h2>{html.escape(heading)}</h2>\n{content}")
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )
    write_whole(path, page)


def table(header, rows):
    """``header`` of strings, ``rows`` of (name, fractions) -> HTML, in percent, a dash for NaN."""
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in ["", *header])
    kind = ' class="mean"' if header[-1] == "mean" else ""
    lines = [f'<div class="scroll"><table{kind}>\n<thead><tr>{cells}</tr></thead>']
    for name, values in rows:
        cells = "".join(f"<td>{'–' if np.isnan(value) else f'{100 * value:.1f}'}</td>" for value in values)
        lines.append(f"<tr><th>{html.escape(name)}</th>{cells}</tr>")
    return "\n".join([*lines, "</table></div>"])


def settings(values):
    """A dict -> HTML, one line a setting."""
    lines = (
        f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in values.items()
    )
    return '<table class="settings">\n' + "\n".join(lines) + "\n</table>"


def picture(png, caption):
    """PNG bytes -> HTML with the picture inside and its caption below."""
    data, caption = base64.b64encode(png).decode(), html.escape(caption)
    image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
