"""Fixtures for tests of reports."""

import pytest
from mailrace.report import bundle

from tests.report.report_folders import run_folder
from tests.report.report_results import native


@pytest.fixture
def made(tmp_path):
    folder = run_folder(tmp_path / "run", native(hits=3))
    return bundle(folder, tmp_path / "bundle.zip")
