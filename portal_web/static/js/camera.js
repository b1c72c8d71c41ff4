// The camera over the live map: shows the address, the van and the way between them as close as they fit; follows until the
// person moves the map; keeps to what the street map covers.

const PLACE_ZOOM = { narrow: 16.25, wide: 17 };
const CLOSEST_ZOOM = 17.5;
const FARTHEST_ZOOM = 9;
const CLOSER = 0.75; // the view goes closer when so much is gained at once
const STEP = 0.25;
const EDGE_PX = 72; // so much of the plain ground beyond the street map may be seen
// How far each mark reaches from its place on the map, px.
const PIN = { up: 40, down: 6, left: 18, right: 18 };
const VAN = { up: 28, down: 28, left: 28, right: 28 };
const FLAG = { up: 28, down: 56, left: 62, right: 62 }; // the van with "last seen …" below it
const LINE = { up: 6, down: 6, left: 6, right: 6 };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Camera {
  #L = window.L;
  #map;
  #place;
  #covered;
  #region;
  #at = null;
  #way = [];
  #following = true;
  #flagged = false;

  /**
   * `covered()`: {top, bottom, start, end}, px at each side of the map where no mark should lie; `region`: the bounds of the
   * street map, or null.
   */
  constructor(map, place, covered, region) {
    this.#map = map;
    this.#place = this.#L.latLng(place);
    this.#covered = covered;
    this.#region = region;
    const leave = () => {
      this.#following = false;
    };
    // by what the person does, not by the map's own events: an animated move of ours raises the same ones a frame later
    map.on("dragstart boxzoomend", leave);
    for (const gesture of ["wheel", "dblclick"]) map.getContainer().addEventListener(gesture, leave, { passive: true });
    map.getContainer().addEventListener("touchstart", (event) => event.touches.length > 1 && leave(), { passive: true });
    map.on("moveend", () => this.#comeBack());
  }

  /** What there is to see: the van (or null) and the way ahead. `first`: there was none before. */
  aim(at, way = [], first = true) {
    this.#at = at && this.#L.latLng(at);
    this.#way = way;
    if (!this.#following) return;
    if (first || !at || this.#hidden(this.#at) || this.#best().zoom - this.#map.getZoom() >= CLOSER) this.#show(!first);
  }

  /** Whether words hang below the van: they are kept in view, too. */
  flag(on) {
    if (on === this.#flagged) return;
    this.#flagged = on;
    if (this.#following && this.#at) this.#show(true);
  }

  zoom(by) {
    this.#following = false;
    this.#map.setZoom(this.#map.getZoom() + by, { animate: !calm.matches });
  }

  locate() {
    this.#following = true;
    this.#show(true);
  }

  resized() {
    this.#map.invalidateSize({ animate: false });
    if (this.#following) this.#show(false);
  }

  #show(animate) {
    const { center, zoom } = this.#best();
    this.#map.setView(center, zoom, { animate: animate && !calm.matches });
  }

  /** The closest view in which all marks lie in the free part of the map. */
  #best() {
    const { top, bottom, start, end } = this.#covered();
    const size = this.#map.getSize();
    const free = [Math.max(80, size.x - start - end), Math.max(60, size.y - top - bottom)];
    let zoom = this.#at ? CLOSEST_ZOOM : PLACE_ZOOM[size.x > 600 ? "wide" : "narrow"];
    let box = this.#box(zoom);
    while (zoom > FARTHEST_ZOOM && (box.right - box.left > free[0] || box.bottom - box.top > free[1])) {
      zoom -= STEP;
      box = this.#box(zoom);
    }
    const x = (box.left + box.right - start + end) / 2;
    const y = (box.top + box.bottom - top + bottom) / 2;
    return { center: this.#map.unproject(this.#inRegion(x, y, zoom, box, size), zoom), zoom };
  }

  /** What the marks take up, px of the world at a zoom. */
  #box(zoom) {
    const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
    const take = (place, room) => {
      const { x, y } = this.#map.project(place, zoom);
      box.left = Math.min(box.left, x - room.left);
      box.right = Math.max(box.right, x + room.right);
      box.top = Math.min(box.top, y - room.up);
      box.bottom = Math.max(box.bottom, y + room.down);
    };
    take(this.#place, PIN);
    if (this.#at) take(this.#at, this.#flagged ? FLAG : VAN);
    if (this.#at && this.#way.length) for (const corner of this.#corners()) take(corner, LINE);
    return box;
  }

  #corners() {
    const bounds = this.#L.latLngBounds(this.#way);
    return [bounds.getNorthWest(), bounds.getSouthEast()];
  }

  /** The middle of the view moved so that little beyond the street map shows, as far as the marks stay in view. */
  #inRegion(x, y, zoom, box, size) {
    if (!this.#region) return this.#L.point(x, y);
    const { top, bottom, start, end } = this.#covered();
    const northWest = this.#map.project(this.#region.getNorthWest(), zoom);
    const southEast = this.#map.project(this.#region.getSouthEast(), zoom);
    const along = (middle, length, low, high, from, to) => {
      const half = length / 2;
      if (high - low + 2 * EDGE_PX <= length) return middle; // the whole region is in view
      const inside = Math.min(Math.max(middle, low - EDGE_PX + half), high + EDGE_PX - half);
      return Math.min(Math.max(inside, to - half), from + half);
    };
    return this.#L.point(
      along(x, size.x, northWest.x, southEast.x, box.left - start, box.right + end),
      along(y, size.y, northWest.y, southEast.y, box.top - top, box.bottom + bottom),
    );
  }

  #hidden(place) {
    const { top, bottom, start, end } = this.#covered();
    const { x, y } = this.#map.latLngToContainerPoint(place);
    const size = this.#map.getSize();
    return x < start || y < top || x > size.x - end || y > size.y - bottom;
  }

  /** Whoever moves the map beyond everything that can be seen on it is brought back to its edge. */
  #comeBack() {
    if (this.#following || !this.#region) return;
    const limits = this.#L.latLngBounds(this.#region.getSouthWest(), this.#region.getNorthEast()).extend(this.#place);
    if (this.#at) limits.extend(this.#at);
    const middle = this.#map.getCenter();
    if (limits.contains(middle)) return;
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    const lat = within(middle.lat, limits.getSouth(), limits.getNorth());
    const lng = within(middle.lng, limits.getWest(), limits.getEast());
    this.#map.panTo([lat, lng], { animate: !calm.matches });
  }
}
