// The address as a pin on the street map, to look at only. Without script a drawn pin stands in its place.
import { openMap } from "./map.js";
import { pin } from "./marks.js";

if (window.map_tracker) {
  const place = JSON.parse(document.getElementById("map_tracker").dataset.centre);
  const { map } = openMap({ center: place, zoom: 16 });
  const icon = window.L.divIcon({ className: "mk-icon", html: pin(), iconSize: [0, 0] });
  window.L.marker(place, { icon, interactive: false, keyboard: false }).addTo(map);
  map.scrollWheelZoom.disable();
}
