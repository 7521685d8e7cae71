"""The loops that keep the shop going, one each."""
