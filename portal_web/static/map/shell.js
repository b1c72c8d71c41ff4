// made by folium through portal_web/shell.py: do not edit. The map is window.map_tracker.
            var map_tracker = L.map(
                "map_tracker",
                {
                    center: [0.0, 0.0],
                    crs: L.CRS.EPSG3857,
                    ...{
  "zoom": 9,
  "zoomControl": false,
  "preferCanvas": false,
  "zoomSnap": 0.25,
  "minZoom": 9,
  "maxZoom": 19,
  "attributionControl": false,
  "keyboard": false,
  "bounceAtZoomLimits": false,
}
                }
            );
