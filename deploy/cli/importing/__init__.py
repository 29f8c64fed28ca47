"""The parts of `listeningpost import`: a file becomes rows, rows become items, items are posted."""
