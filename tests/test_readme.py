"""What README says, as far as it can be looked at."""

import re

from conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_links_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
