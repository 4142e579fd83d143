"""How likely a label is to somebody who holds z. No torch."""
