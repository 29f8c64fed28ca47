"""`python -m services.classifier.prepare`: the first start's work, done while an image is built."""

from __future__ import annotations

from services.classifier.engines.standard import StandardTagger

if __name__ == "__main__":
    StandardTagger().load(None)
