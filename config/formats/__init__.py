"""How dates are written, one package per language."""
