"""What other programs may send, and that the station goes on."""
