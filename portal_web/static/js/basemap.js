// The street map under a Leaflet map: our own vector tiles drawn on canvas, in the colours of the page's theme.
//
//   import { addBasemap } from "./basemap.js";
//   const basemap = addBasemap(map, description);   // description: what /tiles.json says, or a page's data attribute
//
//   map.fire("way", { points });   // [[lat, lon], …] of a route drawn above: names keep beside it; null when it is gone
//
// Draws nothing by itself until the map has a view. With an external tile server configured the same call shows its pictures.

import { drawNames, placeNames } from "./basemap/names.js";
import { Store } from "./basemap/store.js";
import { drawTile, readPalette } from "./basemap/style.js";

const { L } = window;

const TILE_PX = 512;
const UNITS = 4096;
const ABOVE = 1; // a tile of zoom z fills 512 pixels of the map at zoom z + 1
const MOST_RATIO = 2.5; // canvas pixels per page pixel: enough for every screen, kind to phones
const RETRY_MS = [1000, 3000, 10000, 30000];
const EQUATOR_M = 40075016.686;

/** Adds the street map and its credit to a map; answers the layer. */
export function addBasemap(map, description) {
  showCredit(map, description);
  if (description.kind === "raster") return L.tileLayer(description.url, { maxZoom: 19 }).addTo(map);
  if (description.kind !== "own") return null;
  return new Basemap(description).addTo(map);
}

/** The names, on one canvas over the whole view, so that no name is cut where two tiles meet. */
const Names = L.Renderer.extend({
  options: { padding: 0.25, pane: "names" },

  initialize(basemap) {
    L.Renderer.prototype.initialize.call(this, {});
    this._basemap = basemap;
    this._widths = new Map();
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.className = "basemap-names";
    this._context = this._container.getContext("2d");
  },

  _destroyContainer() {
    this._container.remove();
    delete this._container;
  },

  _updatePaths() {},

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this.draw();
  },

  draw() {
    if (!this._bounds || !this._container) return;
    const size = this._bounds.getSize();
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    this._container.width = Math.round(size.x * ratio);
    this._container.height = Math.round(size.y * ratio);
    this._container.style.width = `${size.x}px`;
    this._container.style.height = `${size.y}px`;
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const palette = this._basemap.palette;
    const zoom = this._map.getZoom();
    const tiles = this._basemap.tilesInView(this._map.getPixelOrigin().add(this._bounds.min), zoom);
    const measure = (text, face) => this._measure(text, face);
    const way = this._basemap.way.map((place) => {
      const { x, y } = this._map.latLngToLayerPoint(place).subtract(this._bounds.min);
      return [x, y];
    });
    this.labels = placeNames({ tiles, zoom, width: size.x, height: size.y, font: palette.font, measure, way });
    drawNames(this._context, this.labels, palette);
  },

  _measure(text, face) {
    const key = `${face}|${text}`;
    let width = this._widths.get(key);
    if (width === undefined) {
      this._context.font = face;
      width = this._context.measureText(text).width;
      this._widths.set(key, width);
    }
    return width;
  },
});

/** Ground, water, houses and roads: one canvas a tile. */
export const Basemap = L.GridLayer.extend({
  options: { tileSize: TILE_PX, minZoom: 8, maxZoom: 20, keepBuffer: 1, updateWhenZooming: false, className: "basemap" },

  initialize(description) {
    const [west, south, east, north] = description.bounds;
    const bounds = L.latLngBounds([south, west], [north, east]);
    L.setOptions(this, { bounds, description });
    this._store = new Store(description);
    this._drawn = new Map(); // canvas → {coords, tile}
    this.way = [];
  },

  onAdd(map) {
    const pane = map.getPane("names") || map.createPane("names"); // above the route, below the markers
    pane.classList.add("basemap-names-pane");
    map.getContainer().classList.add("map--region");
    this.palette = readPalette(map.getContainer());
    this._names = new Names(this);
    L.GridLayer.prototype.onAdd.call(this, map);
    map.addLayer(this._names);
    this.on("tileunload", (event) => this._drawn.delete(event.tile));
    this._stopWatching = watchTheme(() => this.repaint());
    map.on("way", this._keepBeside, this);
  },

  onRemove(map) {
    this._stopWatching();
    map.getContainer().classList.remove("map--region");
    map.off("way", this._keepBeside, this);
    map.removeLayer(this._names);
    L.GridLayer.prototype.onRemove.call(this, map);
  },

  _keepBeside({ points }) {
    this.way = points || [];
    this._writeNamesSoon();
  },

  /** Draws everything anew in the colours now in force, without fetching anything. */
  repaint() {
    this.palette = readPalette(this._map.getContainer());
    for (const [canvas, { coords, tile }] of this._drawn) this._draw(canvas, coords, tile);
    this._names.draw();
  },

  createTile(coords, done) {
    const canvas = document.createElement("canvas");
    this._fill(canvas, coords, done, 0);
    return canvas;
  },

  async _fill(canvas, coords, done, tries) {
    try {
      const tile = await this._store.tile(this._source(coords));
      if (!this._map) return;
      this._drawn.set(canvas, { coords, tile });
      this._draw(canvas, coords, tile);
      done(null, canvas);
      this._writeNamesSoon();
    } catch {
      if (tries === 0) done(null, canvas); // the plain ground stands in; what is missing is asked for again
      const again = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
      setTimeout(() => this._map && canvas.isConnected && this._fill(canvas, coords, () => {}, tries + 1), again);
    }
  },

  /** The stored tile behind a drawn one: itself, or beyond the last stored zoom the one it is a part of. */
  _source({ x, y, z }) {
    const zoom = z - ABOVE;
    const up = Math.max(0, zoom - this.options.description.max_zoom);
    return { z: zoom - up, x: x >> up, y: y >> up, part: 2 ** up, left: x & (2 ** up - 1), top: y & (2 ** up - 1) };
  },

  _draw(canvas, coords, tile) {
    const ratio = Math.min(MOST_RATIO, (window.devicePixelRatio || 1) * Math.max(1, 2 ** (this._map.getZoom() - coords.z)));
    const { part, left, top } = this._source(coords);
    const pixels = Math.round(TILE_PX * ratio);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, pixels, pixels);
    context.save();
    context.beginPath();
    context.rect(...this._covered(coords, pixels)); // beyond it the map's own ground shows: there is no street map there
    context.clip();
    context.fillStyle = this.palette.land;
    context.fillRect(0, 0, pixels, pixels);
    const scale = (pixels * part) / UNITS;
    context.setTransform(scale, 0, 0, scale, -left * pixels, -top * pixels);
    const middle = this._map.unproject([(coords.x + 0.5) * TILE_PX, (coords.y + 0.5) * TILE_PX], coords.z).lat;
    const metresPerPixel = (EQUATOR_M * Math.cos((middle * Math.PI) / 180)) / (256 * 2 ** coords.z);
    drawTile(context, tile, this.palette, { zoom: coords.z, metresPerPixel, unit: UNITS / (TILE_PX * part) });
    context.restore();
  },

  /** Where the region lies on a tile's canvas: x, y, width, height. */
  _covered({ x, y, z }, pixels) {
    const { bounds } = this.options;
    const at = (place) => this._map.project(place, z).divideBy(TILE_PX).subtract([x, y]).multiplyBy(pixels);
    const [from, to] = [at(bounds.getNorthWest()), at(bounds.getSouthEast())];
    return [from.x, from.y, to.x - from.x, to.y - from.y];
  },

  /** The stored tiles behind what is drawn now, each with its way from tile units to pixels of the names' canvas. */
  tilesInView(origin, zoom) {
    const found = new Map();
    for (const { coords, tile } of this._drawn.values()) {
      if (coords.z !== this._tileZoom) continue;
      const { z, x, y } = this._source(coords);
      const side = 256 * 2 ** (zoom - z);
      const project = (u, v) => [(x + u / UNITS) * side - origin.x, (y + v / UNITS) * side - origin.y];
      found.set(`${z}/${x}/${y}`, { tile, project });
    }
    return [...found.values()];
  },

  _writeNamesSoon() {
    if (this._soon) return;
    this._soon = requestAnimationFrame(() => {
      this._soon = null;
      if (this._map && !this._map._animatingZoom) this._names.draw();
    });
  },
});

/** Calls back when the page's colours change: by the system, by data-theme, by contrast. Answers how to stop. */
function watchTheme(changed) {
  const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"].map((query) => matchMedia(query));
  const attributes = new MutationObserver(changed);
  attributes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  for (const query of queries) query.addEventListener("change", changed);
  return () => {
    attributes.disconnect();
    for (const query of queries) query.removeEventListener("change", changed);
  };
}

/** The credit, always in sight, beside the map (not inside what is announced as one picture). */
function showCredit(map, { credit, credit_url: address }) {
  const container = map.getContainer();
  if ((container.closest("[data-map]") ?? container.parentElement)?.querySelector(".map__attr")) return; // the page has written it already
  const room = container.closest(".map") || container;
  const line = document.createElement("p");
  line.className = "map__attr";
  const link = document.createElement("a");
  link.href = address;
  link.rel = "noopener";
  link.target = "_blank";
  link.textContent = credit.replace(/^©\s*/, "");
  line.append("© ", link);
  L.DomEvent.disableClickPropagation(line);
  room.append(line);
}
