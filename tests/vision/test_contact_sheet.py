import pytest

from keras_gait.errors import GaitError
from keras_gait.vision.contact_sheet import ContactSheet


def test_a_sheet_that_cannot_be_written_is_an_error(tmp_path):
    sheet = ContactSheet(["001 nm-01"], columns=2)
    sheet.write(tmp_path / "sheet.png")
    with pytest.raises(GaitError, match=r"none/sheet\.png: cannot be written"):
        sheet.write(tmp_path / "none" / "sheet.png")
