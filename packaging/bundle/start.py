"""What the bundle's executable runs."""

from cnc_station.__main__ import main

main()
