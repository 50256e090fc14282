from __future__ import annotations

from datetime import UTC

import pytest

from syncengine.config.path_template import FIELDS, path_template
from syncengine.engine import layout

VALID = [
    "photos/{taken:%Y}/{taken:%m}/{name}",
    "photos/{name}",
    "photos/{kind}/{taken:%Y-%m-%d}/{taken:%H%M%S}_{stem}.{ext}",
    "photos/{album}/{camera:.20}/{sha256:.8}-{name}",
    "photos/{id}.{ext}",
    "photos/{taken:%Y %B}/{{kept}}/{name}",
]


@pytest.mark.parametrize("template", VALID)
def test_a_template_is_kept(template: str) -> None:
    assert path_template(template) == template


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "must begin with 'photos/'"),
        ("/photos/{name}", "must begin with 'photos/'"),
        ("{album}/{name}", "must begin with 'photos/'"),
        ("metadata/{name}", "must begin with 'photos/'"),
        ("photos/../{name}", r"'\.' and '\.\.' are not allowed"),
        ("photos//{name}", "empty folders"),
        ("photos/{name}/", "empty folders"),
        ("photos\\{name}", "must begin"),
        ("photos/a\\{name}", "separated by '/'"),
        ("photos/{taken:%Y/%m}/{name}", "braces"),
        ("photos/{name", "braces"),
        ("photos/name}", "braces"),
        ("photos/{}", r"no field \{\}"),
        ("photos/{0}", r"no field \{0\}"),
        ("photos/{name.stem}", "no field"),
        ("photos/{name[0]}", "no field"),
        ("photos/{title}/{name}", r"no field \{title\} \(fields: taken, name"),
        ("photos/{name!r}", "'!r' is not available"),
        ("photos/{name:>20}", "takes no format"),
        ("photos/{name:{id}}", "takes no format"),
        ("photos/{id:>20}.{ext}", r"cut short, as in \{id:\.8\}"),
        ("photos/{taken:.4}/{name}", "needs a date format"),
        ("photos/{taken:%}/{name}", "is not a date format"),
        ("photos/{taken:%-d}/{name}", "'%-' is not a date format"),
        ("photos/{taken:%Y}.{ext}", "would share one path"),
        ("photos/{stem}", "lose their extension"),
        ("photos/{name}/file", "lose their extension"),
    ],
)
def test_what_is_no_template_is_refused(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        path_template(template)


def test_the_engine_knows_the_same_fields_and_takes_what_is_valid_here() -> None:
    assert frozenset(FIELDS) == layout.FIELDS
    for template in VALID:
        layout.PathTemplate(template, UTC)
