// The map of the address page: shows what was chosen, and takes a pin where somebody presses. Without it the form asks for words.
import { openMap } from "./map.js";
import { pin } from "./marks.js";

const form = document.querySelector("[data-place]");
const holder = document.querySelector("[data-pinmap]");
const [words, lat, lon] = ["address", "lat", "lon"].map((name) => form.elements[name]);
const choices = [...form.querySelectorAll("[name=choice]")];
const typedWords = form.querySelector("[data-pin]");
const said = words.value;
let marker = null;

const chosen = () => choices.find((choice) => choice.checked);

function put(map, place) {
  const icon = window.L.divIcon({ className: "mk-icon", html: pin(), iconSize: [0, 0] });
  marker ??= window.L.marker(place, { icon, draggable: true, keyboard: true, title: "The pin" })
    .addTo(map)
    .on("dragend", () => take(map, marker.getLatLng()));
  marker.setLatLng(place);
}

/** The pin was set by hand: it counts, whatever was chosen before. */
function take(map, at) {
  const own = choices.find((choice) => choice.value === "pin");
  if (own) own.checked = true;
  lat.value = at.lat.toFixed(6);
  lon.value = at.wrap().lng.toFixed(6);
  put(map, at);
  show(map);
}

function show(map) {
  const choice = chosen();
  const found = choice?.dataset.lat;
  typedWords.hidden = Boolean(found);
  if (!found) {
    if (choices.some((one) => one.dataset.label === words.value)) words.value = said;
    return;
  }
  const place = [Number(choice.dataset.lat), Number(choice.dataset.lon)];
  words.value = choice.dataset.label;
  [lat.value, lon.value] = place.map((degrees) => degrees.toFixed(6));
  put(map, place);
  map.setView(place, 16);
}

function begin() {
  holder.hidden = false;
  const element = document.getElementById("map_tracker");
  const centre = JSON.parse(element.dataset.centre);
  const description = JSON.parse(element.dataset.basemap);
  const [west, south, east, north] = description.bounds ?? [-20, 35, 40, 65];
  const opened = openMap({ center: centre ?? [(south + north) / 2, (west + east) / 2], zoom: centre ? 16 : 12 });
  if (!opened) return;
  const { map } = opened;
  map.invalidateSize();
  map.on("click", (event) => take(map, event.latlng));
  for (const choice of choices) choice.addEventListener("change", () => show(map));
  if (lat.value && lon.value) put(map, [Number(lat.value), Number(lon.value)]);
  show(map);
}

if (window.map_tracker) begin();
else holder.remove();
document.querySelector(".errsum")?.focus();
