// How the street map looks: colours from the page's own tokens (--m-*), widths in true metres with a least width in pixels.

const COLOURS = [
  "land", "yard", "plaza", "park", "pitch", "water", "path", "rail", "building", "building-line",
  "casing", "road", "road-major", "road-minor", "tram", "label", "halo",
];

/** The colours and the font in force for an element, by theme. */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const palette = { font: style.getPropertyValue("--font-ui").trim() || "system-ui, sans-serif" };
  for (const name of COLOURS) palette[name] = style.getPropertyValue(`--m-${name}`).trim() || "#888";
  return palette;
}

/** Areas in the order in which they lie on each other: [key, colour, opacity]. */
const AREAS = [
  ["ground/yard", "yard", 1],
  ["ground/wood", "park", 0.6],
  ["ground/park", "park", 1],
  ["ground/pitch", "pitch", 1],
  ["water/sea", "water", 1],
  ["water/lake", "water", 1],
  ["ground/plaza", "plaza", 1],
];

/** Ways on foot, waters and rails, below the roads: [key, colour, metres, least pixels from zoom, dash in metres]. */
const THIN = {
  stream: ["water/stream-line", "water", 2.5, [[13, 0.8], [16, 1.6]]],
  river: ["water/river-line", "water", 9, [[10, 1], [13, 2], [16, 4]]],
  track: ["road/track-line", "path", 2.4, [[14, 0.8], [16, 1.5]]],
  path: ["road/path-line", "path", 1.6, [[14, 0.6], [16, 1.3]]],
  steps: ["road/steps-line", "path", 2.2, [[15, 1], [16, 1.8]], [1.2, 0.9]],
  siding: ["rail/siding-line", "rail", 0.9, [[14, 0.5], [16, 0.8]]],
  rail: ["rail/rail-line", "rail", 1.2, [[11, 0.4], [14, 0.5], [16, 1]]],
  tram: ["rail/tram-line", "tram", 1, [[13, 0.5], [16, 0.9]]],
};

/** Roads, the least important first: [kind, colour, metres, metres with casing, least pixels from zoom]. */
const ROADS = [
  ["service", "road-minor", 4.5, 0, [[14, 0.8], [16, 2]]],
  ["pedestrian", "road-minor", 5, 0, [[13, 0.8], [16, 2.2]]],
  ["street", "road", 8, 10, [[12, 0.7], [14, 1.6], [16, 4]]],
  ["link", "road", 8, 10, [[12, 0.8], [14, 1.8], [16, 4]]],
  ["tertiary", "road", 10.5, 12.5, [[11, 0.8], [14, 2.4], [16, 5]]],
  ["secondary", "road", 12.5, 14.5, [[10, 1], [12, 1.9], [14, 3], [16, 6]]],
  ["primary", "road-major", 14, 16, [[9, 1.2], [11, 2.1], [12, 2.6], [14, 3.8], [16, 7]]],
  ["motorway", "road-major", 15, 17.5, [[9, 1.4], [11, 2.4], [14, 4.2], [16, 8]]],
];

/** Draws a tile's ground, water, houses and roads. The context is in tile units; `unit` is units per pixel. */
export function drawTile(context, tile, palette, { zoom, metresPerPixel, unit }) {
  const pen = new Pen(context, tile, palette, zoom, metresPerPixel, unit);
  for (const [key, colour, opacity] of AREAS) pen.fill(key, colour, opacity);
  for (const thin of [THIN.stream, THIN.river, THIN.track, THIN.path, THIN.steps, THIN.siding, THIN.rail]) pen.thin(thin);
  pen.buildings();
  pen.tunnels();
  pen.roads("");
  pen.roads("/b");
  pen.thin(THIN.tram);
}

class Pen {
  constructor(context, tile, palette, zoom, metresPerPixel, unit) {
    Object.assign(this, { context, tile, palette, zoom, unit });
    // True width up to zoom 16.5, then a little less: a street at zoom 18 shall not fill a phone.
    this.pixelsPerMetre = (1 / metresPerPixel) * 0.86 ** Math.max(0, zoom - 16.5);
    context.lineJoin = "round";
  }

  fill(key, colour, opacity) {
    const path = this.tile.paths.get(key);
    if (!path) return;
    this.context.globalAlpha = opacity;
    this.context.fillStyle = this.palette[colour];
    this.context.fill(path); // nonzero: outer rings and holes turn opposite ways, so areas may overlap
    this.context.globalAlpha = 1;
  }

  stroke(path, colour, pixels, cap = "round") {
    this.context.strokeStyle = this.palette[colour];
    this.context.lineWidth = pixels * this.unit;
    this.context.lineCap = cap;
    this.context.stroke(path);
  }

  thin([key, colour, metres, least, dash]) {
    for (const suffix of ["", "/b"]) {
      const path = this.tile.paths.get(key + suffix);
      if (!path) continue;
      if (dash) this.context.setLineDash(dash.map((length) => Math.max(1, length * this.pixelsPerMetre) * this.unit));
      this.stroke(path, colour, this.width(metres, least), dash ? "butt" : "round");
      this.context.setLineDash([]);
    }
  }

  buildings() {
    const path = this.tile.paths.get("building/building");
    if (!path) return;
    this.context.globalAlpha = Math.min(1, Math.max(0.35, (this.zoom - 13.5) / 1.5));
    this.fill("building/building", "building", this.context.globalAlpha);
    if (this.zoom >= 15) this.stroke(path, "building-line", Math.min(1.4, Math.max(0.6, this.pixelsPerMetre)));
  }

  tunnels() {
    this.context.globalAlpha = 0.45;
    for (const [kind, colour, metres, , least] of ROADS) {
      const path = this.tile.paths.get(`road/${kind}-line/t`);
      if (path && kind !== "service") this.stroke(path, colour, this.width(metres, least), "butt");
    }
    this.context.globalAlpha = 1;
  }

  /** All casings first, then all surfaces: crossings open into each other. */
  roads(suffix) {
    for (const [kind, , metres, casing, least] of ROADS) {
      const path = this.tile.paths.get(`road/${kind}-line${suffix}`);
      if (!path || !casing) continue;
      // true width where that is wider; from afar a hair on each side lifts the road off the ground
      const width = Math.max(this.width(casing, least), this.width(metres, least) + 1.3);
      this.stroke(path, "casing", width, suffix ? "butt" : "round");
      if (this.zoom >= 15) continue;
      this.context.globalAlpha = between([[12, 0.22], [15, 0]], this.zoom);
      this.stroke(path, "label", width, suffix ? "butt" : "round");
      this.context.globalAlpha = 1;
    }
    for (const [kind, colour, metres, , least] of ROADS) {
      const path = this.tile.paths.get(`road/${kind}-line${suffix}`);
      if (path) this.stroke(path, colour, this.width(metres, least));
    }
  }

  /** Pixels: true metres, but at least what the zoom's table says. */
  width(metres, least) {
    return Math.max(metres * this.pixelsPerMetre, between(least, this.zoom));
  }
}

function between(stops, zoom) {
  if (zoom <= stops[0][0]) return stops[0][1];
  for (let i = 1; i < stops.length; i += 1) {
    const [[z0, a], [z1, b]] = [stops[i - 1], stops[i]];
    if (zoom <= z1) return a + ((b - a) * (zoom - z0)) / (z1 - z0);
  }
  return stops[stops.length - 1][1];
}
