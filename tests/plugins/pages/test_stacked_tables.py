"""Cells of a table that becomes blocks on narrow screens carry the heads of their columns."""

from __future__ import annotations

from markupsafe import Markup

from plugins.pages.stacked_tables import labelled

HEAD = (
    '<table class="stack"><thead><tr><th scope="col">Page</th><th class="n">4xx &amp; <b>5xx</b></th>'
    '<td class="barcell"></td><th>State</th></tr></thead>'
)


def test_each_cell_with_text_names_its_column_and_empty_ones_do_not() -> None:
    row = '<tr><th scope="row">/home</th><td class="n"><b>3</b></td><td class="barcell"></td><td>green</td></tr>'
    assert labelled(f"{HEAD}<tbody>{row}</tbody></table>").endswith(
        '<tr><th scope="row">/home</th><td data-label="4xx &amp; 5xx" class="n"><b>3</b></td>'
        '<td class="barcell"></td><td data-label="State">green</td></tr></tbody></table>'
    )


def test_a_cell_over_several_columns_has_no_label_and_those_after_it_keep_theirs() -> None:
    row = '<tr><td colspan="3">8 others</td><td>amber</td></tr>'
    assert labelled(f"{HEAD}<tbody>{row}</tbody></table>").endswith(
        '<tr><td colspan="3">8 others</td><td data-label="State">amber</td></tr></tbody></table>'
    )


def test_what_is_escaped_stays_as_it_is() -> None:
    row = "<tr><th>/</th><td>&lt;b&gt;</td></tr>"
    assert '<td data-label="4xx &amp; 5xx">&lt;b&gt;</td>' in labelled(Markup(f"{HEAD}{row}</table>"))  # noqa: S704


def test_the_head_stays_as_it_is() -> None:
    assert labelled(f"{HEAD}<tbody></tbody></table>").startswith(HEAD)
