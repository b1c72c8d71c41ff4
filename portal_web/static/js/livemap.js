// What moves on the map: the address, the van, its accuracy in true metres and the way ahead. It is told what to show; it decides nothing about freshness.
import { Camera } from "./camera.js";
import { Way, distance } from "./geo.js";
import { pin, van } from "./marks.js";

const GLIDE_MS = { least: 1_000, most: 2_000 }; // longer would be evener, and show where the van was, not where it is
const TURN_MS = 220; // in which a turn of the van is mostly done
const ON_THE_WAY_M = 60; // a position farther off the route than this does not lie on it
const HIDE_ROUTE_M = 150;
const LEAST_ACCURACY_M = 15;
const LAST_M = 120; // the address lies beside the last part of the way, however near the way came before
const THERE_M = 12; // so near to the end of the way nothing of it is left to drive
const DOOR_M = 8; // from where the road ends to the address: farther than this is dotted
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const still = { interactive: false, keyboard: false };

export class LiveMap {
  #L = window.L;
  #map;
  #place;
  #camera;
  #van = null;
  #drawing = van();
  #accuracy;
  #route;
  #reach;
  #last;
  #way = null;
  #along = null; // metres from the start of the way, where the drawn van is
  #at = null;
  #stretch = false;
  #gliding = 0;
  #heard = -Infinity;
  #heading = null; // degrees, as drawn

  /** `map`: a Leaflet map with its base; `place`: [lat, lon] of the address; `covered()`, `region`: see camera.js. */
  constructor(map, place, covered, region = null) {
    this.#map = map;
    this.#place = place;
    this.#camera = new Camera(map, place, covered, region);
    this.#route = ["m-route-case", "m-route"].map((name) => this.#line(name));
    this.#reach = ["m-reach-edge", "m-reach"].map((name) => this.#line(name));
    this.#last = this.#line("m-last");
    this.#accuracy = this.#L.circle(place, { ...still, className: "m-acc", radius: 0 });
    this.#L.marker(place, { ...still, icon: this.#icon(pin()), zIndexOffset: 100 }).addTo(map);
    this.#camera.aim(null);
  }

  zoom(by) {
    this.#camera.zoom(by);
  }

  /** Both in view again, and follow. */
  locate() {
    this.#camera.locate();
  }

  resized() {
    this.#camera.resized();
  }

  /** The way ahead as the server knows it (points from the shown position on), or null. */
  setWay(points) {
    this.#way = points && points.length > 1 ? new Way(points) : null;
    this.#along = this.#way && this.#at ? this.#way.project(this.#at).along : null;
    this.#map.fire("way", { points: this.#way && points }); // the street map keeps its names beside it
    this.#draw();
  }

  /** A new position: glide there, along the way if both ends lie on it; never farther than it. */
  setVan(position) {
    const to = [position.lat, position.lon];
    const first = this.#van === null;
    if (first) this.#van = this.#L.marker(to, { ...still, icon: this.#icon(this.#drawing.element), zIndexOffset: 200 }).addTo(this.#map);
    const radius = position.acc ?? 0;
    if (radius >= LEAST_ACCURACY_M) this.#accuracy.setRadius(radius).addTo(this.#map);
    else this.#accuracy.remove();
    const step = this.#way?.project(to, this.#along ?? 0);
    const onWay = Boolean(step && step.off <= ON_THE_WAY_M);
    const course = position.course ?? (onWay ? this.#way.course(step.along) : null);
    this.#glide(to, step && step.off <= HIDE_ROUTE_M ? step.along : null, { onWay, first, course });
    this.#camera.aim(to, this.#ahead(to, step?.along ?? null), first);
  }

  /** How the van looks: `live` (pulse), `flag` (words below it or null) and `stretch`: old, so grey, and the way is the stretch it may be on. */
  setMood({ live, flag, stretch }) {
    this.#drawing.live(live);
    this.#drawing.old(stretch, flag);
    this.#camera.flag(flag !== null);
    if (stretch === this.#stretch) return;
    this.#stretch = stretch;
    this.#draw();
  }

  /** No van, no way, no circle: the address only. */
  clear() {
    cancelAnimationFrame(this.#gliding);
    this.#van?.remove();
    this.#van = null;
    this.#drawing = van();
    this.#heading = null;
    this.#heard = -Infinity;
    this.#accuracy.remove();
    this.#at = null;
    this.#stretch = false;
    this.setWay(null);
    this.#camera.aim(null);
  }

  /** As long as positions are apart, within `GLIDE_MS`: on average the van shown is a second behind, and never ahead of what is known. */
  #glide(to, along, { onWay, first, course }) {
    cancelAnimationFrame(this.#gliding);
    const [from, start] = [this.#at ?? to, this.#along];
    const began = performance.now();
    const lasts = Math.min(GLIDE_MS.most, Math.max(GLIDE_MS.least, began - this.#heard));
    this.#heard = began;
    if (first || calm.matches || document.hidden || distance(from, to) > 2_000) {
      this.#stand(to, along);
      this.#turn(course, Infinity);
      return;
    }
    const alongTheWay = onWay && start !== null && along >= start;
    let before = began;
    const turn = (time) => {
      const t = Math.min(1, Math.max(0, (time - began) / lasts));
      const way = alongTheWay && this.#way ? start + (along - start) * t : null;
      if (t === 1) this.#stand(to, along);
      else if (way !== null) this.#stand(this.#way.at(way), way);
      else this.#stand([from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t], along);
      this.#turn(way !== null && t < 1 ? this.#way.course(way) : course, time - before);
      before = time;
      if (t < 1) this.#gliding = requestAnimationFrame(turn);
    };
    this.#gliding = requestAnimationFrame(turn);
  }

  /** The van's nose, by the shorter way round; at once where it had no direction or nothing should move. */
  #turn(course, ms) {
    if (course === null) this.#heading = null;
    else if (this.#heading === null || ms === Infinity) this.#heading = course;
    else this.#heading += ((((course - this.#heading) % 360) + 540) % 360 - 180) * (1 - Math.exp(-Math.max(0, ms) / (TURN_MS / 3)));
    this.#drawing.course(this.#heading);
  }

  #stand(at, along) {
    this.#at = at;
    this.#along = along;
    this.#van?.setLatLng(at);
    this.#accuracy.setLatLng(at);
    this.#draw();
  }

  #draw() {
    const ahead = this.#ahead(this.#at, this.#along);
    for (const line of this.#route) line.setLatLngs(this.#stretch ? [] : ahead);
    for (const line of this.#reach) line.setLatLngs(this.#stretch ? ahead : []);
    const [end, gap] = [ahead.at(-1), ahead.length ? distance(ahead.at(-1), this.#place) : 0];
    this.#last.setLatLngs(!this.#stretch && gap > DOOR_M && gap < HIDE_ROUTE_M ? [end, this.#place] : []);
  }

  /** What is drawn of the way: from the van to the address, which may lie before the end of the road that leads to it. */
  #ahead(at, along) {
    if (!this.#way || !at || along === null) return [];
    const end = this.#way.project(this.#place, this.#way.length - LAST_M).along;
    return end - along < THERE_M ? [] : [at, ...this.#way.between(along, end).slice(1)];
  }

  #line(className) {
    return this.#L.polyline([], { ...still, className, smoothFactor: 0.5 }).addTo(this.#map);
  }

  #icon(element) {
    return this.#L.divIcon({ html: element, className: "mk-icon", iconSize: [0, 0] });
  }
}
