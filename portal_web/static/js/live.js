// The live page: listens to the server, tells the trip once a second, and follows every change of state without reload.
import { Announcer } from "./announcer.js";
import { ConnectionBar } from "./connbar.js";
import { Connection } from "./connection.js";
import { read } from "./frames.js";
import { distance } from "./geo.js";
import { LiveMap } from "./livemap.js";
import { Panel } from "./panel.js";
import { ServerClock } from "./serverclock.js";
import { clock, stamp } from "./time.js";
import { Trip } from "./trip.js";

const STREET_EVERY_MS = 10_000;
const STREET_AFTER_M = 60;
const OVER = new Set(["completed", "canceled"]);
const DRAWN = new Set(["live", "standing", "delayed", "stale"]);

class LivePage {
  #root = document.querySelector("[data-live]");
  #page = JSON.parse(this.#root.dataset.live);
  #clock = new ServerClock(Date.parse(this.#page.now));
  #announcer = new Announcer(document.getElementById("announce"), document.getElementById("alert"));
  #bar = new ConnectionBar(document.getElementById("connbar"));
  #panel = new Panel(this.#root, this.#page.icons);
  #connection = new Connection(this.#page, this.#page.appointment);
  #map = null;
  #facts;
  #trip = null;
  #contact = this.#clock.now();
  #asked = 0;
  #newest = null;
  #street = { at: -Infinity, where: null };

  start() {
    this.#take(this.#panelElement());
    this.#openMap();
    this.#connection.addEventListener("frame", (event) => this.#hear(event.detail));
    this.#connection.addEventListener("up", () => this.#bar.up());
    this.#connection.addEventListener("down", ({ detail: lost }) => {
      this.#bar.down(lost, this.#contact, this.#facts.zone, () => this.#tell());
    });
    this.#connection.addEventListener("refused", () => {
      this.#refresh(); // if the page is refused, too, it is loaded anew and says why
      this.#connection.resume();
    });
    this.#connection.start();
    setInterval(() => this.#tell(), 1_000);
  }

  // -- what the server says ------------------------------------------------------------------------------------------

  #hear(raw) {
    const frame = read(raw, this.#facts.place, () => this.#clock.now());
    if (frame.now) this.#clock.hear(frame.now);
    this.#contact = this.#clock.now();
    if (frame.type === "snapshot" || frame.type === "update") this.#newest = frame;
    if (frame.state && frame.state !== this.#facts.state) this.#refresh(frame);
    else if (frame.type === "snapshot" && this.#anotherDelay(frame)) this.#refresh(frame);
    else if (frame.type === "snapshot" || frame.type === "update") this.#follow(frame);
  }

  /** A delay was told before anybody set off, told anew, or taken back. */
  #anotherDelay({ state, expected = null }) {
    return state === "scheduled" && (expected ? Date.parse(expected.as_of) : null) !== this.#facts.late;
  }

  #follow(frame, explained = false) {
    if (!this.#trip) return;
    const known = this.#trip.position;
    const anotherWay = this.#trip.hear(frame);
    const paused = frame.technician?.sharing === false;
    const vanished = paused !== (this.#trip.facts.pausedSince !== null) || (known && !this.#trip.position);
    if (frame.type === "snapshot" && vanished && !explained) this.#refresh(frame); // the panel says why
    if (this.#trip.position) Object.assign(this.#trip.facts, { pausedSince: null, closed: false });
    if (anotherWay) this.#map?.setWay(this.#trip.points);
    if (this.#trip.position) this.#map?.setVan(this.#trip.position);
    else this.#map?.clear();
    this.#tell();
    this.#askStreet();
  }

  /** The panel anew, as the server writes it for the state that now is; what came meanwhile is not overtaken by it. */
  async #refresh(frame = null, wait = 500) {
    const asked = ++this.#asked;
    let answer = null;
    try {
      answer = await fetch(this.#page.panel, { cache: "no-store", headers: { Accept: "text/html" } });
    } catch {
      // the connection is away: tried again below
    }
    if (asked !== this.#asked) return;
    if (answer && [401, 403, 404].includes(answer.status)) location.reload();
    else if (!answer?.ok) setTimeout(() => asked === this.#asked && this.#refresh(frame, Math.min(10_000, wait * 2)), wait);
    else this.#replace(await answer.text(), frame);
  }

  #replace(text, frame) {
    const old = this.#panelElement();
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("[data-panel]");
    for (const each of next.querySelectorAll("noscript")) each.remove(); // read without script, its words would be real ones here
    const before = this.#facts;
    const scrolled = old.scrollTop;
    const focused = old.contains(document.activeElement);
    old.replaceWith(document.adoptNode(next));
    next.scrollTop = scrolled;
    if (focused) next.focus({ preventScroll: true });
    this.#take(next);
    const { state } = this.#facts;
    if (this.#facts.map && !this.#map && before.map === null) location.reload();
    if (!this.#facts.map) this.#withoutMap();
    if (state !== before.state) this.#announcer.state(state, this.#facts.name, this.#clock.now());
    if (state !== "traveling") this.#map?.clear();
    // a new trip begins with the snapshot that asked for this panel; what came while it was on its way has the last word
    if (frame?.type === "snapshot" && frame.state === state && !this.#trip?.heard) this.#follow(frame, true);
    if (this.#newest && this.#trip?.heard) this.#follow(this.#newest, true);
    this.#tell();
  }

  #take(panel) {
    const same = this.#facts?.state === "traveling";
    this.#facts = JSON.parse(panel.dataset.panel);
    this.#panel = new Panel(this.#root, this.#page.icons);
    this.#connection.patience = OVER.has(this.#facts.state) ? 30_000 : 0;
    if (this.#facts.state !== "traveling") this.#trip = null;
    else if (!same || !this.#trip) this.#trip = new Trip(this.#facts);
    else {
      const { paused, closed, tracked } = this.#facts;
      Object.assign(this.#trip.facts, { pausedSince: paused, closed, tracked });
    }
    document.title = `${this.#facts.title} · ${this.#page.company}`;
  }

  // -- what the page says --------------------------------------------------------------------------------------------

  #tell() {
    if (!this.#trip?.heard) {
      this.#shape(this.#facts.map === "trip");
      return;
    }
    const { since } = this.#bar;
    const now = since ?? this.#clock.now();
    const { zone, reason } = this.#trip.facts;
    const story = this.#trip.tell(now);
    const away = since === null ? null : ["Not updating", `as of ${stamp(since, zone, true)}`];
    this.#panel.show(story, { zone, now, reason, desk: this.#page.desk, away });
    if (!away) this.#announcer.follow(story, this.#clock.now());
    document.title = `${story.title} · ${this.#page.company}`;
    const drawn = DRAWN.has(story.level);
    this.#shape(drawn, story);
    if (!this.#map) return;
    const old = story.level === "stale";
    const flag = old ? `last seen ${clock(Math.max(this.#trip.facts.seen.fix, this.#trip.facts.seen.contact), zone)}` : null;
    if (drawn) this.#map.setMood({ live: story.level === "live" && !away, flag, stretch: old });
    else this.#map.clear();
  }

  /** The map's strip: tall with a van, short without; its sentence and its note. */
  #shape(tall, story = null) {
    const section = this.#root.querySelector("[data-map]");
    if (!section) return;
    const note = section.querySelector("[data-map-note]");
    if (story || !this.#trip) {
      const noted = !note.hidden;
      note.hidden = !story?.mapNote;
      note.lastElementChild.textContent = story?.mapNote ?? "";
      if (noted === note.hidden) this.#map?.resized(); // nothing is to be seen below it
    }
    section.querySelector("[role=img]").setAttribute("aria-label", story?.mapLabel ?? this.#facts.mapLabel);
    if (section.classList.toggle("live__map--short", !tall) === this.short) return;
    this.short = !tall;
    this.#map?.resized();
  }

  #askStreet() {
    const { position } = this.#trip;
    const here = position && [position.lat, position.lon];
    const time = performance.now();
    if (!here || document.hidden || time - this.#street.at < STREET_EVERY_MS) return;
    if (this.#street.where && distance(this.#street.where, here) < STREET_AFTER_M) return;
    this.#street = { at: time, where: here };
    const trip = this.#trip;
    fetch(this.#page.place, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : null))
      .then((said) => {
        if (said && trip === this.#trip) trip.facts.street = said.street;
      })
      .catch(() => {});
  }

  // -- the map -------------------------------------------------------------------------------------------------------

  /** Leaflet or the street map may be missing: then the strip shows the pin on plain ground, and all else works. */
  async #openMap() {
    const section = this.#root.querySelector("[data-map]");
    if (!section || !window.map_tracker) return;
    const { openMap } = await import("./map.js");
    const opened = openMap({ center: this.#facts.place, zoom: 16 });
    this.short = section.classList.contains("live__map--short");
    this.#map = new LiveMap(opened.map, this.#facts.place, () => this.#covered(), opened.region);
    const controls = section.querySelector("[data-map-ui]");
    controls.hidden = false;
    controls.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.zoom) this.#map.zoom(button.dataset.zoom === "in" ? 1 : -1);
      else if (button) this.#map.locate();
    });
    new ResizeObserver(() => this.#map?.resized()).observe(section);
    if (this.#trip?.points) this.#map.setWay(this.#trip.points);
    if (this.#trip?.position) this.#map.setVan(this.#trip.position);
    this.#tell();
  }

  /** What lies over the map's edges: the sheet below on a phone, the buttons at the end, the note. */
  #covered() {
    const wide = matchMedia("(min-width: 56rem)").matches;
    const note = this.#root.querySelector("[data-map-note]");
    const noted = note && !note.hidden ? note.offsetHeight + 8 : 0;
    if (wide) return { top: 40 + noted, bottom: 40, start: 40, end: 76 };
    return this.short ? { top: 8, bottom: 24, start: 112, end: 112 } : { top: 12, bottom: 44 + noted, start: 12, end: 64 };
  }

  #withoutMap() {
    this.#root.querySelector("[data-map]")?.remove();
    this.#map = null;
    this.#root.classList.add("live--solo");
  }

  #panelElement() {
    return this.#root.querySelector("[data-panel]");
  }
}

new LivePage().start();
