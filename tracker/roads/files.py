"""The names of the files in a built region's folder that pages and addresses are served from."""

BASEMAP = "basemap.mbtiles"
ADDRESSES = "addresses.sqlite"
