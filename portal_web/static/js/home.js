// The active appointment on the home page: the same listening as on the live page, shown in a card. A change of state loads the
// page anew, because the lists around the card change with it.
import { Connection } from "./connection.js";
import { read } from "./frames.js";
import { LiveMap } from "./livemap.js";
import { Panel } from "./panel.js";
import { ServerClock } from "./serverclock.js";
import { Trip } from "./trip.js";

const DRAWN = new Set(["live", "standing", "delayed", "stale"]);
const root = document.querySelector("[data-live]");
const page = JSON.parse(root.dataset.live);
const facts = JSON.parse(root.querySelector("[data-panel]").dataset.panel);
const clock = new ServerClock(Date.parse(page.now));
const trip = new Trip(facts);
const panel = new Panel(root, page.icons);
const connection = new Connection(page, page.appointment);
let map = null;
let away = null; // the server's time when contact was lost

function tell() {
  if (!trip.heard) return;
  const now = away ?? clock.now();
  const story = trip.tell(now);
  panel.show(story, { zone: facts.zone, now, away: away === null ? null : ["Not updating", "reconnecting"] });
  if (!map) return;
  if (!trip.position || !DRAWN.has(story.level)) map.clear();
  else map.setMood({ live: story.level === "live" && away === null, flag: null, stretch: story.level === "stale" });
}

/** Not under somebody's hands: a dialog that is open is answered first, and its answer may lead elsewhere. */
function reloadWhenFree() {
  if (document.querySelector("dialog[open]")) addEventListener("close", () => location.reload(), { capture: true, once: true });
  else location.reload();
}

function hear(raw) {
  const frame = read(raw, facts.place, () => clock.now());
  if (frame.now) clock.hear(frame.now);
  if (frame.state && frame.state !== facts.state) {
    reloadWhenFree();
    return;
  }
  if (frame.type !== "snapshot" && frame.type !== "update") return;
  if (frame.technician?.sharing === false) trip.facts.pausedSince ??= clock.now();
  const anotherWay = trip.hear(frame);
  if (trip.position) trip.facts.pausedSince = null;
  if (anotherWay) map?.setWay(trip.points);
  if (trip.position) map?.setVan(trip.position);
  tell();
}

async function openThumb() {
  if (!window.map_tracker) return;
  const { openMap } = await import("./map.js");
  const opened = openMap({ center: facts.place, zoom: 14 });
  for (const gesture of ["dragging", "touchZoom", "doubleClickZoom", "scrollWheelZoom", "boxZoom"]) opened.map[gesture]?.disable();
  map = new LiveMap(opened.map, facts.place, () => ({ top: 6, bottom: 20, start: 10, end: 10 }), opened.region);
  new ResizeObserver(() => map.resized()).observe(opened.map.getContainer());
  if (trip.points) map.setWay(trip.points);
  if (trip.position) map.setVan(trip.position);
  tell();
}

connection.addEventListener("frame", (event) => hear(event.detail));
connection.addEventListener("up", () => {
  away = null;
  tell();
});
connection.addEventListener("down", ({ detail: lost }) => {
  const since = performance.now() - lost;
  away = clock.now() - since;
  setTimeout(tell, Math.max(0, 5_000 - since));
});
connection.addEventListener("refused", async () => {
  const answer = await fetch(page.panel, { cache: "no-store" }).catch(() => null);
  if (answer && [401, 403, 404].includes(answer.status)) location.reload();
  else connection.resume();
});
connection.start();
setInterval(() => away === null && tell(), 1_000);
openThumb();
