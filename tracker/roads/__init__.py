"""Roads: routing, and what is built from an OpenStreetMap extract (router tiles, basemap, address index)."""
