"""The Debian package, installed as a shop would: `./dev installer --test`."""
