// What moves on the map: the address, the van, its accuracy in true metres, the way ahead, and a camera that follows until
// the person moves the map. It is told what to show; it decides nothing about freshness.
import { Way, distance } from "./geo.js";
import { pin, van } from "./marks.js";

const GLIDE_MS = 1_000;
const ON_THE_WAY_M = 60; // a position farther off the route than this does not lie on it
const HIDE_ROUTE_M = 150;
const LEAST_ACCURACY_M = 15;
const PLACE_ZOOM = { narrow: 16.25, wide: 17 };
const CLOSEST_ZOOM = 17;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const still = { interactive: false, keyboard: false };

export class LiveMap {
  #L = window.L;
  #map;
  #place;
  #padding;
  #van = null;
  #drawing = van();
  #accuracy;
  #route;
  #reach;
  #way = null;
  #along = null; // metres from the start of the way, where the drawn van is
  #at = null;
  #stretch = false;
  #following = true;
  #own = false;
  #gliding = 0;

  /** `map`: a Leaflet map with its base; `place`: [lat, lon] of the address; `padding()`: px at each side that are covered. */
  constructor(map, place, padding) {
    this.#map = map;
    this.#place = place;
    this.#padding = padding;
    this.#route = ["m-route-case", "m-route"].map((name) => this.#line(name));
    this.#reach = ["m-reach-edge", "m-reach"].map((name) => this.#line(name));
    this.#accuracy = this.#L.circle(place, { ...still, className: "m-acc", radius: 0 });
    this.#L.marker(place, { ...still, icon: this.#icon(pin()), zIndexOffset: 100 }).addTo(map);
    map.on("dragstart zoomstart", () => {
      if (!this.#own) this.#following = false;
    });
    this.lookAtPlace();
  }

  zoom(by) {
    this.#following = false;
    this.#map.setZoom(this.#map.getZoom() + by, { animate: !calm.matches });
  }

  /** Both in view again, and follow. */
  locate() {
    this.#following = true;
    this.#fit(true);
  }

  resized() {
    this.#map.invalidateSize({ animate: false });
    if (this.#following) this.#fit(false);
  }

  lookAtPlace() {
    const { top, bottom } = this.#padding();
    const zoom = PLACE_ZOOM[this.#map.getSize().x > 600 ? "wide" : "narrow"];
    this.#move(() => {
      this.#map.setView(this.#place, zoom, { animate: false });
      this.#map.panBy([0, (bottom - top) / 2], { animate: false });
    });
  }

  /** The way ahead as the server knows it (points from the shown position on), or null. */
  setWay(points) {
    this.#way = points && points.length > 1 ? new Way(points) : null;
    this.#along = this.#way && this.#at ? this.#way.project(this.#at).along : null;
    this.#map.fire("way", { points: this.#way && points }); // the street map keeps its names beside it
    this.#draw();
  }

  /** A new position: glide there in about a second, along the way if both ends lie on it; never farther than it. */
  setVan(position) {
    const to = [position.lat, position.lon];
    const first = this.#van === null;
    if (first) this.#van = this.#L.marker(to, { ...still, icon: this.#icon(this.#drawing.element), zIndexOffset: 200 }).addTo(this.#map);
    const radius = position.acc ?? 0;
    if (radius >= LEAST_ACCURACY_M) this.#accuracy.setRadius(radius).addTo(this.#map);
    else this.#accuracy.remove();
    const step = this.#way?.project(to, this.#along ?? 0);
    const onWay = Boolean(step && step.off <= ON_THE_WAY_M);
    this.#drawing.course(position.course ?? (onWay ? this.#way.course(step.along) : null));
    this.#glide(to, step && step.off <= HIDE_ROUTE_M ? step.along : null, onWay, first);
    if (this.#following) this.#follow(to, first);
  }

  /** How the van looks: `live` (pulse), `flag` (grey, with these words) and whether the way is the stretch it may be on. */
  setMood({ live, flag, stretch }) {
    this.#drawing.live(live);
    this.#drawing.old(flag);
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
    this.#accuracy.remove();
    this.#at = null;
    this.#stretch = false;
    this.setWay(null);
    if (this.#following) this.lookAtPlace();
  }

  #glide(to, along, onWay, first) {
    cancelAnimationFrame(this.#gliding);
    const [from, start] = [this.#at ?? to, this.#along];
    if (first || calm.matches || document.hidden || distance(from, to) > 2_000) {
      this.#stand(to, along);
      return;
    }
    const alongTheWay = onWay && start !== null && along >= start;
    const began = performance.now();
    const turn = (time) => {
      const t = Math.min(1, Math.max(0, (time - began) / GLIDE_MS));
      const eased = t * (2 - t);
      const way = alongTheWay && this.#way ? start + (along - start) * eased : null;
      if (t === 1) this.#stand(to, along);
      else if (way !== null) this.#stand(this.#way.at(way), way);
      else this.#stand([from[0] + (to[0] - from[0]) * eased, from[1] + (to[1] - from[1]) * eased], along);
      if (t < 1) this.#gliding = requestAnimationFrame(turn);
    };
    this.#gliding = requestAnimationFrame(turn);
  }

  #stand(at, along) {
    this.#at = at;
    this.#along = along;
    this.#van?.setLatLng(at);
    this.#accuracy.setLatLng(at);
    this.#draw();
  }

  #draw() {
    const known = this.#way && this.#at && this.#along !== null;
    const ahead = known ? [this.#at, ...this.#way.ahead(this.#along).slice(1)] : [];
    for (const line of this.#route) line.setLatLngs(this.#stretch ? [] : ahead);
    for (const line of this.#reach) line.setLatLngs(this.#stretch ? ahead : []);
  }

  #line(className) {
    return this.#L.polyline([], { ...still, className, smoothFactor: 0.5 }).addTo(this.#map);
  }

  #icon(element) {
    return this.#L.divIcon({ html: element, className: "mk-icon", iconSize: [0, 0] });
  }

  // -- camera --------------------------------------------------------------------------------------------------------

  #bounds(at) {
    const bounds = this.#L.latLngBounds([this.#place, at]);
    if (!this.#way || this.#along === null) return bounds;
    for (const point of this.#way.ahead(this.#along)) bounds.extend(point);
    return bounds;
  }

  #fit(animate, at = this.#at) {
    if (!at) {
      this.lookAtPlace();
      return;
    }
    const { top, bottom, start, end } = this.#padding();
    const options = { paddingTopLeft: [start, top], paddingBottomRight: [end, bottom], maxZoom: CLOSEST_ZOOM };
    this.#move(() => this.#map.fitBounds(this.#bounds(at), { ...options, animate: animate && !calm.matches }));
  }

  /** Refit when the van leaves the view, or when both would fit a level closer. */
  #follow(at, first) {
    const { top, bottom, start, end } = this.#padding();
    const size = this.#map.getSize();
    const shown = this.#map.latLngToContainerPoint(at);
    const out = shown.x < start || shown.y < top || shown.x > size.x - end || shown.y > size.y - bottom;
    const closest = this.#map.getBoundsZoom(this.#bounds(at), false, this.#L.point(start + end, top + bottom));
    if (first || out || Math.min(CLOSEST_ZOOM, closest) - this.#map.getZoom() >= 1) this.#fit(!first, at);
  }

  #move(how) {
    this.#own = true;
    how();
    this.#own = false;
  }
}
