"""Names of fields, one by one and in sets."""

import pytest

from stargal.errors import StargalError
from stargal.survey.fields import Field, format_fields, parse_fields


def test_fields_on_a_command_line():
    fields = [Field(301, 8162, 6, number) for number in (80, 103, 111, 112, 113)] + [Field(40, 4192, 4, 300)]
    text = format_fields(fields)
    assert text == "40-4192-4:300 301-8162-6:80,103,111-113"
    assert parse_fields(text) == sorted(fields)
    assert Field.parse("301-8162-6-80").name == "301-008162-6-0080"
    for bad in ("301-8162-6", "301-8162-6:x", "301-8162:5"):
        with pytest.raises(StargalError):
            parse_fields(bad)
