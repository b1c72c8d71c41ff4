// The page's map: the shell that folium made (window.map_tracker), with our street map under it.
//
//   import { openMap } from "./map.js";
//   const opened = openMap({ center: [lat, lon], zoom: 16 });   // null if the page has no map or Leaflet did not load
//   opened.map      the Leaflet map: setView, fitBounds, addLayer …
//   opened.region   what the street map covers (L.LatLngBounds), null if that is everything
//   opened.basemap  the street map's layer, null if none was built; opened.basemap.repaint() after a change of colours
//
// The element #map_tracker carries data-basemap (JSON of StreetMap.describe()). Names lie in the pane "names" (z-index 450):
// above routes and circles (overlayPane, 400), below markers (600).

import { addBasemap } from "./basemap.js";

let opened = null;

/** The map of this page with its first view; the same object however often it is asked for. */
export function openMap({ center, zoom }) {
  const map = window.map_tracker;
  if (!map || opened) return opened;
  map.setView(center, zoom, { animate: false });
  const description = JSON.parse(map.getContainer().dataset.basemap || '{"kind": "none"}');
  const region = description.kind === "own" ? bounds(description.bounds) : null;
  opened = { map, basemap: addBasemap(map, description), region };
  return opened;
}

const bounds = ([west, south, east, north]) => window.L.latLngBounds([south, west], [north, east]);
