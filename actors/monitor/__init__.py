"""How the run is doing: figures, targets, advice."""
