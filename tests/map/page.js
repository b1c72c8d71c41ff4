// Opens the map at ?lat=…&lon=…&z=…&theme=…; window.opened is what a page's own module would hold.
import { openMap } from "/static/js/map.js";

const asked = new URLSearchParams(location.search);
document.documentElement.dataset.theme = asked.get("theme") || "light";
const element = document.getElementById("map_tracker");
element.dataset.basemap = await (await fetch("/tiles.json")).text();
window.opened = openMap({ center: [Number(asked.get("lat")), Number(asked.get("lon"))], zoom: Number(asked.get("z")) });
window.opened.basemap?.on("load", () => document.documentElement.setAttribute("data-settled", "yes"));
